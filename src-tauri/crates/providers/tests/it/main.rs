//! Behaviour of the providers, without a network.

mod catalog;
mod drive;
mod mock;
mod fixture;
mod description;
mod hostile;
mod jira;
mod openid;
mod redmine;
mod redmine_live;
