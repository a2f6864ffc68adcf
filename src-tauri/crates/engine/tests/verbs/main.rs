//! The management verbs on a real store, with a clock that the test moves and randomness that it seeds.

#[cfg(test)]
mod audit;
mod backups;
#[cfg(test)]
mod changes;
mod deadlines;
#[cfg(test)]
mod deletions;
#[cfg(test)]
mod exceeding;
#[cfg(test)]
mod export;
#[cfg(test)]
mod governance;
#[cfg(test)]
mod installation;
mod keys;
#[cfg(test)]
mod links;
#[cfg(test)]
mod manifests;
#[cfg(test)]
mod members;
#[cfg(test)]
mod policy;
#[cfg(test)]
mod sessions;
#[cfg(test)]
mod tokens;
#[cfg(test)]
mod versions;
#[cfg(test)]
mod world;
