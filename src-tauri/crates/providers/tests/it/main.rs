//! Behaviour of the providers, without a network.

mod catalog;
mod drive;
mod mock;
mod redmine_live;
