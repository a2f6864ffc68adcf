//! What a manifest says of the end of a credential.

use patchbay_model::Timestamp;
use patchbay_model::revocation::{RevocationEnds, RevocationEvidence, RevocationHow, RevocationProof};
use patchbay_providers::manifest::Auth;
use patchbay_providers::manifest::revoke::{Ends, How, Manual, Proof, Revocation, TokenKind};
use patchbay_providers::{Provider, Server, Values};

/// How what one way to authenticate gave is ended.
pub(crate) struct Facts {
    /// The manifest's own words.
    pub(super) revocation: Revocation,
    /// The authorization server, where a person consented.
    pub(super) server: Option<Server>,
}

impl Facts {
    /// Those of a way to authenticate, by `type` in the configuration.
    pub(crate) fn of(provider: &Provider, word: Option<&str>) -> Self {
        let way = word.and_then(|word| provider.way(word));
        let server = word.and_then(|word| provider.consent(word));
        let told = server.map(|server| &server.revocation).or_else(|| way.and_then(|way| way.revocation.as_ref()));
        let mut revocation = told.cloned().unwrap_or_else(|| by_hand(provider));
        // What is exchanged before it is used is ended where it was made.
        if !way.is_some_and(|way| matches!(way.auth, Auth::Plain | Auth::Consent { .. })) {
            revocation.how = How::None;
        }
        Self { revocation, server: server.cloned() }
    }

    /// By what the provider is asked.
    pub(crate) fn how(&self) -> RevocationHow {
        match self.revocation.how {
            How::Rfc7009 { .. } => RevocationHow::Endpoint,
            How::Call(_) => RevocationHow::Call,
            How::None => RevocationHow::Manual,
        }
    }

    /// What ends with it, where the manifest says so.
    pub(crate) fn ends(&self) -> Option<Ends> {
        match self.revocation.how {
            How::Rfc7009 { ends, .. } => Some(ends),
            How::Call(_) => self.revocation.ends,
            How::None => None,
        }
    }

    /// Whether that leaves a refresh token alone that came beside an access token, when only this one is sent.
    pub(super) fn spares_refresh(&self) -> bool {
        matches!(&self.revocation.how, How::Rfc7009 { order, ends: Ends::Token, .. } if !order.contains(&TokenKind::Refresh))
    }
}

fn by_hand(provider: &Provider) -> Revocation {
    let steps = vec![format!("Sign in at {} and remove there what was given to this connection.", provider.fullname())];
    Revocation { how: How::None, proof: Proof::Nothing, answers_ok_always: false, settle_seconds: None, each_token: false, ends: None, manual: Manual { steps, url: None } }
}

/// What is known of a revocation before anybody is asked.
pub(crate) fn proof_of(facts: &Facts, values: &Values, alive_until: Option<Timestamp>) -> RevocationProof {
    let Revocation { manual, proof, .. } = &facts.revocation;
    RevocationProof {
        how: facts.how(),
        ends: facts.ends().map(|ends| match ends {
            Ends::Grant => RevocationEnds::Grant,
            Ends::Set | Ends::Token => RevocationEnds::Token,
        }),
        evidence: match proof {
            Proof::Probe => RevocationEvidence::Probe,
            Proof::Introspection => RevocationEvidence::Introspection,
            Proof::Nothing => RevocationEvidence::Nothing,
        },
        manual: manual.steps.clone(),
        // Without a value that the configuration does not have, the steps must do.
        manual_url: manual.url.as_ref().and_then(|template| values.fill(template).ok()),
        events: Vec::new(),
        alive_until,
        confirmed_at: None,
        confirmed_by: None,
    }
}
