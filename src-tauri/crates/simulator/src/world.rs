//! What the providers of one simulator know: clients, grants, tokens, keys, faults, and what they were asked.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use patchbay_model::{ProviderId, Timestamp};
use serde::Serialize;

use crate::fault::ActiveFault;
use crate::keys::SampleKey;

#[derive(Default)]
pub(crate) struct World {
    /// How far the simulator's clock is ahead.
    pub(crate) ahead: Duration,
    counter: u64,
    /// Every provider with its family.
    pub(crate) families: BTreeMap<ProviderId, Option<String>>,
    pub(crate) clients: BTreeMap<String, Client>,
    pub(crate) keys: Vec<SampleKey>,
    pub(crate) signed_in: BTreeMap<String, SignedIn>,
    pub(crate) pushed: BTreeMap<String, Pushed>,
    pub(crate) codes: BTreeMap<String, CodeState>,
    pub(crate) devices: BTreeMap<String, DeviceState>,
    pub(crate) grants: Vec<Grant>,
    pub(crate) access: HashMap<String, Access>,
    pub(crate) refresh: HashMap<String, Refresh>,
    pub(crate) faults: Vec<ActiveFault>,
    /// Until when providers are out.
    pub(crate) outages: BTreeMap<ProviderId, Timestamp>,
    /// To how many places persons have access; one, where nobody said otherwise.
    pub(crate) places: Option<u32>,
    pub(crate) log: Vec<Entry>,
}

impl World {
    /// Most entries of the log; the oldest go.
    const LOG: usize = 200_000;

    pub(crate) fn next(&mut self) -> u64 {
        self.counter += 1;
        self.counter
    }

    pub(crate) fn note(&mut self, mut entry: Entry) -> u64 {
        entry.number = self.log.last().map_or(1, |last| last.number + 1);
        if self.log.len() >= Self::LOG {
            self.log.drain(..Self::LOG / 10);
        }
        let number = entry.number;
        self.log.push(entry);
        number
    }

    /// Ends a grant and all that came of it.
    pub(crate) fn end(&mut self, grant: usize) {
        if let Some(grant) = self.grants.get_mut(grant) {
            grant.ended = true;
        }
    }

    /// Whether two providers are one vendor's, so that a grant or key of one is good at the other.
    pub(crate) fn kin(&self, one: &ProviderId, other: &ProviderId) -> bool {
        let family = |provider| self.families.get(provider).and_then(Option::as_ref);
        one == other || family(one).is_some_and(|known| family(other) == Some(known))
    }

    pub(crate) fn alive(&self, grant: Option<usize>) -> bool {
        grant.is_none_or(|grant| self.grants.get(grant).is_some_and(|grant| !grant.ended))
    }
}

/// A client that was registered.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    pub(crate) provider: ProviderId,
    /// At which server.
    pub(crate) server: String,
    pub(crate) secret: String,
    pub(crate) redirect_uris: Vec<String>,
}

/// A person who signed in and has not yet answered whether to allow.
pub(crate) struct SignedIn {
    pub(crate) until: Timestamp,
}

/// An authorization request that was pushed (RFC 9126).
pub(crate) struct Pushed {
    pub(crate) client: String,
    pub(crate) params: BTreeMap<String, String>,
    pub(crate) until: Timestamp,
}

/// An authorization code.
#[derive(Clone)]
pub(crate) struct CodeState {
    pub(crate) client: String,
    pub(crate) site: usize,
    pub(crate) server: String,
    pub(crate) redirect_uri: String,
    pub(crate) challenge: Option<String>,
    pub(crate) asked: Asked,
    pub(crate) until: Timestamp,
    /// The grant that came of it, once it was used.
    pub(crate) used: Option<usize>,
}

/// What was asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asked {
    pub(crate) scopes: Vec<String>,
    /// Scopes in parameters of their own.
    pub(crate) also: bool,
}

/// A device that waits for a person (RFC 8628).
#[derive(Clone)]
pub(crate) struct DeviceState {
    pub(crate) client: String,
    pub(crate) site: usize,
    pub(crate) server: String,
    pub(crate) user_code: String,
    pub(crate) asked: Asked,
    pub(crate) until: Timestamp,
    pub(crate) last_poll: Option<Timestamp>,
    pub(crate) allowed: Option<bool>,
}

/// What a person granted.
#[derive(Clone, Debug)]
pub(crate) struct Grant {
    pub(crate) provider: ProviderId,
    pub(crate) server: String,
    pub(crate) client: String,
    pub(crate) asked: Asked,
    pub(crate) made: Timestamp,
    pub(crate) ended: bool,
}

/// An access token, minted ones and sessions included.
#[derive(Clone, Debug)]
pub(crate) struct Access {
    pub(crate) provider: ProviderId,
    /// None: minted with a key.
    pub(crate) grant: Option<usize>,
    /// The key that it was minted with.
    pub(crate) key: Option<usize>,
    pub(crate) until: Option<Timestamp>,
    /// Seconds that begin anew with each use.
    pub(crate) idle: Option<u64>,
    pub(crate) ended: bool,
    /// The refresh token beside it.
    pub(crate) beside: Option<String>,
    /// What signs requests, in sessions of AWS.
    pub(crate) signs: Option<String>,
}

/// A refresh token.
#[derive(Clone, Debug)]
pub(crate) struct Refresh {
    pub(crate) grant: usize,
    /// Its name in the set.
    pub(crate) name: String,
    /// When it was given out or last used.
    pub(crate) used: Timestamp,
    /// When another took its place.
    pub(crate) rotated: Option<Timestamp>,
    /// The one that took its place.
    pub(crate) next: Option<String>,
    pub(crate) ended: bool,
    /// Whether somebody else used it before.
    pub(crate) stolen: bool,
}

/// A request that a provider of this simulator got.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
pub struct Entry {
    /// Upwards from 1.
    pub number: u64,
    /// When, by the simulator's clock.
    pub at: String,
    /// Which provider.
    pub provider: String,
    /// What was asked: an endpoint, a grant type or a call.
    pub what: String,
    /// Host and path.
    pub address: String,
    /// `X-Request-Id` of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The token, code or assertion that came with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sent: Option<String>,
    /// Tokens that were given out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gave: Vec<String>,
    /// Whether a refresh token was replaced by it.
    pub rotated: bool,
    /// `granted`, `ok`, or the word of the error.
    pub outcome: String,
    /// Whether the answer was handed to the connection. One that takes its time is so only when that is over.
    pub delivered: bool,
}
