//! Connector calls through the engine: on the mock, and on a stand-in for Redmine that misbehaves as it is told.

#[cfg(test)]
mod mock;
#[cfg(test)]
mod redmine;
#[cfg(test)]
mod stand_in;
#[cfg(test)]
mod world;
