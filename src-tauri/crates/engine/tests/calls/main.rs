//! Connector calls through the engine: on the mock, and on stand-ins for Redmine and for authorization servers that
//! misbehave as they are told.

#[cfg(test)]
mod aws;
#[cfg(test)]
mod forged;
#[cfg(test)]
mod mock;
#[cfg(test)]
mod moto;
#[cfg(test)]
mod redmine;
#[cfg(test)]
mod stand_in;
#[cfg(test)]
mod status;
#[cfg(test)]
mod webhooks;
#[cfg(test)]
mod world;
