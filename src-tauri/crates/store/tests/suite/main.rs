//! What every store must do, whatever database is below. A second backend is one more entry of [`place::BACKENDS`].

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that fails says so by a panic; the exemption of tests does not reach their fixtures")]

mod clocks;
mod cluster;
mod consents;
mod deleting;
mod disks;
mod drift;
mod files;
mod hostile;
mod image;
mod isolation;
mod links;
mod listing;
mod migrating;
mod paging;
mod people;
mod place;
mod provisioning;
mod refreshing;
mod rows;
mod spec;
mod surroundings;
mod webhooks;
