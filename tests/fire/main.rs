//! Renewal under fire: sixty-four threads in four processes use one integration whose access token ended, while answers
//! are lost and processes are killed with SIGKILL at each step. After every round three independent accounts are compared: what
//! the provider saw, what was done to whom, and what the store says.
//!
//! `FIRE` says how many rounds there are of each variant, `FIRE_LANES` in how many lanes at once,
//! `PATCHBAY_SEED` which ones.

#![cfg(test)]

#[path = "../../src-tauri/crates/store/tests/suite/cluster.rs"]
mod cluster;
mod count;
mod peer;
mod round;
mod worker;

use std::path::Path;

use patchbay_engine::installation::{self, StoreUrl};
use patchbay_engine::{Engine, NetworkPolicy};
use patchbay_model::{Context, Origin};
use patchbay_vault::{KeyAccess, KeySource};

use crate::cluster::{Cluster, LOGIN};
use crate::peer::Reuse;

/// Opens the store as a process of its own would.
async fn open(store: &StoreUrl, key: &Path, context: Context) -> Engine {
    let keys = KeyAccess::from(KeySource::File(key.to_owned()));
    installation::open(store, &keys, context, NetworkPolicy { allow_private: true, rehearsal: None }, Origin::Desktop).await.unwrap()
}

#[test]
fn a_file_where_a_second_use_ends_the_grant() {
    if !worker::is_one() {
        round::all("a_file_where_a_second_use_ends_the_grant", Reuse::EndsFamily, None);
    }
}

#[test]
fn a_file_where_a_provider_tells_which_tokens_are_alive() {
    if !worker::is_one() {
        round::all("a_file_where_a_provider_tells_which_tokens_are_alive", Reuse::EndsFamilyAndTells, None);
    }
}

#[test]
fn a_file_where_a_second_use_is_forgiven() {
    if !worker::is_one() {
        round::all("a_file_where_a_second_use_is_forgiven", Reuse::Grace, None);
    }
}

#[test]
fn a_database_where_a_second_use_ends_the_grant() {
    if !worker::is_one() {
        round::all("a_database_where_a_second_use_ends_the_grant", Reuse::EndsFamily, Some(|| Cluster::get().empty(LOGIN)));
    }
}
