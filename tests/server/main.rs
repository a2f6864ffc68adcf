//! The server on a real store, without a network: requests go straight into the router.

#[cfg(test)]
mod audit;
#[cfg(test)]
mod connect;
#[cfg(test)]
mod consent;
#[cfg(test)]
mod deadlines;
#[cfg(test)]
mod hosted;
#[cfg(test)]
mod impact;
#[cfg(test)]
mod input;
#[cfg(test)]
mod interface;
#[cfg(test)]
mod leaving;
#[cfg(test)]
mod lifecycle;
#[cfg(test)]
mod listening;
#[cfg(test)]
mod matrix;
#[cfg(test)]
mod rehearsal;
#[cfg(test)]
mod security;
#[cfg(test)]
mod separation;
#[cfg(test)]
mod session;
#[cfg(test)]
mod simulate;
#[cfg(test)]
mod undo;
#[cfg(test)]
mod world;
