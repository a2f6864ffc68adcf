//! From what the store and the catalog know to deadlines in words. Nothing here asks anybody.

use patchbay_model::deadline::{Actor, Clock, ClockKind, Deadline, DeadlineKind, DeadlineObject, MAIN_TOKEN};
use patchbay_model::{ProviderId, Timestamp};
use patchbay_store::{AppClock, CredentialClock, MemberEnd, TokenEnd};

use super::Deadlines;

/// Who acts on a clock.
const fn actor(clock: &Clock) -> Actor {
    match clock.kind {
        ClockKind::Access | ClockKind::NonexpiringProbe => Actor::Patchbay,
        _ if clock.renew_at.is_some() => Actor::Patchbay,
        _ => Actor::Person,
    }
}

/// `, token user` for tokens beside the first.
fn which(clock: &Clock) -> String {
    if clock.token == MAIN_TOKEN { String::new() } else { format!(" (`{}`)", clock.token) }
}

/// A clock of a credential.
pub(super) fn credential(row: CredentialClock) -> Deadline {
    let CredentialClock { credential_id, fullname, owner_type, account, integration, clock } = row;
    let connect = match &integration {
        Some((_, name, _)) => format!("Connect {name} again before then"),
        None => "Enter a new one before then".to_owned(),
    };
    let (what, next_step) = match clock.kind {
        ClockKind::Access if clock.renew_at.is_some() => {
            (format!("Access token{}", which(&clock)), "Patchbay renews it a little before, while the integration is in use.".to_owned())
        }
        ClockKind::Access => (format!("Access token{}", which(&clock)), "Patchbay renews it when it is next used.".to_owned()),
        ClockKind::RefreshIdle if clock.renew_at.is_some() => (format!("Refresh token, unused{}", which(&clock)), "Patchbay uses it before then, so that it stays.".to_owned()),
        ClockKind::RefreshIdle => {
            (format!("Refresh token, unused{}", which(&clock)), "Any call through the integration keeps it. Without one a person has to connect again.".to_owned())
        }
        ClockKind::RefreshAbsolute => (format!("What a person authorized{}", which(&clock)), format!("{connect}: the provider ends it then, however much it is used.")),
        ClockKind::Secret if owner_type == "organization_webhook" => {
            ("Secret of a webhook".to_owned(), "Enter a new secret before then, here and at the receiver. Afterwards nothing is sent.".to_owned())
        }
        ClockKind::Secret => ("Entered credential".to_owned(), "Get a new one from the provider and enter it before then. Afterwards calls are refused.".to_owned()),
        ClockKind::Certificate => ("Certificate".to_owned(), "Get a new certificate and enter it before then, with its key.".to_owned()),
        ClockKind::Key => ("Key".to_owned(), "Make a new key at the provider and enter it before then.".to_owned()),
        ClockKind::NonexpiringProbe => (format!("Token without a known end{}", which(&clock)), "Patchbay tries it then, and tells when it has ended.".to_owned()),
    };
    let provider = integration.as_ref().map(|(_, _, provider)| provider.clone());
    Deadline {
        id: format!("{}-{}-{}", clock.kind.as_str(), clock.token, credential_id),
        kind: clock.kind.into(),
        what,
        object: DeadlineObject { noun: "credential", id: credential_id.to_string(), name: fullname, account, integration: integration.map(|(id, name, _)| (id, name)), provider },
        at: clock.at,
        renew_at: clock.renew_at,
        who: actor(&clock),
        next_step,
    }
}

/// A clock of a provider app.
pub(super) fn provider_app(row: AppClock) -> Deadline {
    let AppClock { app_id, fullname, provider, clock } = row;
    Deadline {
        id: format!("{}-{}-{}", clock.kind.as_str(), clock.token, app_id),
        kind: clock.kind.into(),
        what: "Client secret".to_owned(),
        object: DeadlineObject { noun: "provider_app", id: app_id.to_string(), name: fullname, account: None, integration: None, provider: Some(provider) },
        at: clock.at,
        renew_at: clock.renew_at,
        who: actor(&clock),
        next_step: "Make a new client secret at the provider and enter it before then. Afterwards nobody can connect and no access is renewed.".to_owned(),
    }
}

/// A token of Patchbay's own.
pub(super) fn token(row: TokenEnd) -> Deadline {
    Deadline {
        id: format!("token-{}", row.token_id),
        kind: DeadlineKind::Token,
        what: "Token without a refresh secret".to_owned(),
        object: DeadlineObject { noun: "token", id: row.token_id.to_string(), name: row.fullname, account: row.account, integration: row.integration, provider: None },
        at: row.at,
        renew_at: None,
        who: Actor::Person,
        next_step: "Mint a new token before then and give it to the program that uses this one.".to_owned(),
    }
}

/// A member's last moment.
pub(super) fn member(row: MemberEnd) -> Deadline {
    Deadline {
        id: format!("member-{}", row.member_id),
        kind: DeadlineKind::Member,
        what: "Membership".to_owned(),
        object: DeadlineObject { noun: "member", id: row.member_id.to_string(), name: row.fullname, account: None, integration: None, provider: None },
        at: row.at,
        renew_at: None,
        who: Actor::Person,
        next_step: "Give the member a later end, or let it end: then it can no longer sign in, and its tokens are dead.".to_owned(),
    }
}

/// The end of a fact of a provider that integrations depend on.
pub(super) struct Ending<'a> {
    pub(super) provider: &'a ProviderId,
    pub(super) fullname: &'a str,
    pub(super) version: &'a str,
    /// What ends: `version`, or the name of a fact.
    pub(super) what: &'a str,
    pub(super) reason: &'a str,
    pub(super) instead: Option<&'a str>,
    pub(super) at: Timestamp,
    /// Integrations that pin the version.
    pub(super) integrations: u64,
}

/// Something that a provider takes away.
pub(super) fn sunset(ending: &Ending<'_>) -> Deadline {
    let Ending { provider, fullname, version, what, reason, instead, at, integrations } = *ending;
    let users = if integrations == 1 { "1 integration uses".to_owned() } else { format!("{integrations} integrations use") };
    let ends = if what == "version" { format!("Version {version} of {fullname}") } else { format!("{what} of {fullname}") };
    let instead = match instead {
        Some(instead) => format!(" Use instead: {instead}."),
        None if what == "version" => " Move its integrations to the next version.".to_owned(),
        None => String::new(),
    };
    let reason = reason.trim_end_matches('.');
    Deadline {
        id: format!("sunset-{provider}-{version}-{what}"),
        kind: DeadlineKind::Sunset,
        what: ends,
        object: DeadlineObject { noun: "provider", id: provider.to_string(), name: fullname.to_owned(), account: None, integration: None, provider: Some(provider.clone()) },
        at,
        renew_at: None,
        who: Actor::Person,
        next_step: format!("{reason}.{instead} {users} it."),
    }
}

/// Puts the sources together: the earliest first, no more than `limit`.
pub(super) fn together(mut all: Vec<Deadline>, limit: usize) -> Deadlines {
    all.sort_by(|one, other| (one.at, one.who, &one.id).cmp(&(other.at, other.who, &other.id)));
    let more = all.len() > limit;
    all.truncate(limit);
    Deadlines { items: all, more }
}

#[cfg(test)]
mod tests {
    use patchbay_model::{AccountId, CredentialId, IntegrationId};
    use uuid::Uuid;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn row(kind: ClockKind, renew_at: Option<Timestamp>) -> CredentialClock {
        let clock = Clock { renew_at, ..Clock::of(kind, at("2027-01-01T00:00:00Z")) };
        CredentialClock {
            credential_id: CredentialId::from_uuid(Uuid::from_u128(1)),
            fullname: "Consent of jira".to_owned(),
            owner_type: "integration".to_owned(),
            account: Some((AccountId::from_uuid(Uuid::from_u128(2)), "Globex".to_owned())),
            integration: Some((IntegrationId::from_uuid(Uuid::from_u128(3)), "Jira".to_owned(), ProviderId::parse("ticketing_jira").unwrap())),
            clock,
        }
    }

    #[test]
    fn who_acts_follows_from_the_clock() {
        let soon = Some(at("2026-12-01T00:00:00Z"));
        for (kind, renew_at, who) in [
            (ClockKind::Access, None, Actor::Patchbay),
            (ClockKind::NonexpiringProbe, soon, Actor::Patchbay),
            (ClockKind::RefreshIdle, soon, Actor::Patchbay),
            (ClockKind::RefreshIdle, None, Actor::Person),
            (ClockKind::RefreshAbsolute, None, Actor::Person),
            (ClockKind::Secret, None, Actor::Person),
            (ClockKind::Certificate, None, Actor::Person),
            (ClockKind::Key, None, Actor::Person),
        ] {
            let deadline = credential(row(kind, renew_at));
            assert_eq!((deadline.who, deadline.kind.as_str()), (who, kind.as_str()));
            // What Patchbay does by itself is not asked of a person.
            assert_eq!(deadline.next_step.starts_with("Patchbay"), who == Actor::Patchbay, "{}", deadline.next_step);
        }
        assert!(credential(row(ClockKind::RefreshAbsolute, None)).next_step.starts_with("Connect Jira again"));
    }

    #[test]
    fn an_id_names_one_clock_for_good() {
        let main = credential(row(ClockKind::Access, None));
        let mut other = row(ClockKind::Access, None);
        other.clock.token = "user".to_owned();
        other.clock.at = at("2028-01-01T00:00:00Z");
        let user = credential(other);
        assert_eq!(main.id, "access-main-00000000-0000-0000-0000-000000000001");
        assert!(user.id != main.id && user.what.ends_with("(`user`)"));
    }

    #[test]
    fn a_sunset_says_whom_it_touches() {
        let provider = ProviderId::parse("crm_hubspot").unwrap();
        let mut ending = Ending {
            provider: &provider,
            fullname: "HubSpot",
            version: "2",
            what: "server.main.endpoints",
            reason: "OAuth v1 is switched off.",
            instead: Some("the endpoints of 2026-03"),
            at: at("2027-02-16T00:00:00Z"),
            integrations: 1,
        };
        let one = sunset(&ending);
        assert_eq!(one.next_step, "OAuth v1 is switched off. Use instead: the endpoints of 2026-03. 1 integration uses it.");
        assert_eq!(one.what, "server.main.endpoints of HubSpot");
        ending = Ending { what: "version", instead: None, integrations: 3, ..ending };
        assert_eq!(sunset(&ending).next_step, "OAuth v1 is switched off. Move its integrations to the next version. 3 integrations use it.");
        assert_eq!(sunset(&ending).what, "Version 2 of HubSpot");
    }

    #[test]
    fn the_earliest_stand_first_and_a_cut_is_told() {
        let mut late = credential(row(ClockKind::Secret, None));
        late.at = at("2028-01-01T00:00:00Z");
        let early = credential(row(ClockKind::Access, None));
        let both = together(vec![late.clone(), early.clone()], 2);
        assert_eq!((both.items.as_slice(), both.more), ([early.clone(), late].as_slice(), false));
        let one = together(vec![early.clone(), early.clone()], 1);
        assert_eq!((one.items.len(), one.more), (1, true));
    }
}
