//! Behaviour of the providers, without a network.
//!
//! The modules say `cfg(test)` so that the lints take their plain functions for tests too.

#[cfg(test)]
mod catalog;
#[cfg(test)]
mod declared;
#[cfg(test)]
mod description;
#[cfg(test)]
mod drive;
#[cfg(test)]
mod fixture;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod jira;
#[cfg(test)]
mod manifest;
#[cfg(test)]
mod mock;
#[cfg(test)]
mod openid;
#[cfg(test)]
mod redmine;
#[cfg(test)]
mod redmine_live;
