//! When tokens are renewed without anybody asking: those in use shortly before they are due, those that nobody uses before they die of
//! it, where the provider lets unused ones die and the manifest says that they shall be kept.

use std::time::Duration;

use patchbay_model::deadline::{Clock, ClockKind};
use patchbay_model::integration::Integration;
use patchbay_model::{Context, Timestamp};
use patchbay_providers::Server;
use patchbay_providers::manifest::lifetime::Silent;

use crate::oauth::TokenSet;

/// Who used an integration within this time finds its tokens renewed.
const IN_USE: Duration = Duration::from_secs(86_400);
/// The longest time by which a renewal is drawn ahead of its due time: so that those of many integrations do not fall together.
const SPREAD: Duration = Duration::from_secs(300);
/// How long before its end, at least, a token that nobody uses is kept alive, where it lives that long.
const AHEAD: Duration = Duration::from_secs(7 * 86_400);

/// Whether an integration was used lately.
pub(super) fn in_use(integration: &Integration, now: Timestamp) -> bool {
    integration.last_used_at.is_some_and(|used| now.since(used) < IN_USE)
}

/// The clocks of a set, with the times at which it is renewed without anybody asking.
pub(crate) fn clocks(context: &Context, server: &Server, set: &TokenSet, used: bool) -> Vec<Clock> {
    let mut clocks = set.clocks();
    for clock in &mut clocks {
        let Some(token) = set.token(&clock.token) else { continue };
        clock.renew_at = match clock.kind {
            ClockKind::Access if used => Some(token.due().minus(drawn(context, spread(token.expires.since(token.obtained))))),
            ClockKind::RefreshIdle if server.lifetime.keep_alive => Some(token.obtained.plus(kept_after(clock.at.since(token.obtained)))),
            _ => None,
        };
    }
    let main = &set.main;
    if let (None, Silent::NonExpiring { probe_days }) = (main.end(), server.lifetime.access.silent) {
        let at = main.obtained.plus(Duration::from_secs(u64::from(probe_days.max(1)) * 86_400));
        clocks.push(Clock { renew_at: Some(at), ..Clock::of(ClockKind::NonexpiringProbe, at) });
    }
    clocks
}

/// By how much a renewal may come before its due time.
fn spread(life: Duration) -> Duration {
    (life / 10).min(SPREAD)
}

/// After which part of the time that it may lie unused a token is used: half of it, and a week before its end at the latest.
fn kept_after(idle: Duration) -> Duration {
    let half = idle / 2;
    idle.checked_sub(AHEAD).filter(|left| !left.is_zero()).map_or(half, |left| left.min(half))
}

fn drawn(context: &Context, most: Duration) -> Duration {
    let mut chance = [0; 2];
    context.entropy().fill(&mut chance);
    most * u32::from(u16::from_le_bytes(chance)) / u32::from(u16::MAX)
}

#[cfg(test)]
mod tests {
    use patchbay_vault::system_context;
    use serde_json::json;

    use super::*;
    use crate::oauth::sample;
    use patchbay_model::Secret;

    fn now() -> Timestamp {
        "2026-11-22T10:00:00Z".parse().unwrap()
    }

    fn set(extra: serde_json::Value) -> TokenSet {
        let mut plain = json!({ "access_token": "a", "refresh_token": "r", "obtained": now(), "expires": now().plus(Duration::from_secs(3600)) });
        plain.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        TokenSet::from_secret(&Secret::new(plain.to_string())).unwrap()
    }

    #[test]
    fn what_is_in_use_is_renewed_a_little_before_it_is_due() {
        let (context, server) = (system_context(), sample(json!({})));
        for _ in 0..100 {
            let clocks = clocks(&context, &server, &set(json!({})), true);
            let [access] = clocks.as_slice() else { panic!("{clocks:?}") };
            let after = access.renew_at.unwrap().since(now()).as_secs();
            assert!((2400 - 300..=2400).contains(&after), "{after}");
        }
        assert_eq!(clocks(&context, &server, &set(json!({})), false)[0].renew_at, None, "nobody uses it: it is renewed when somebody does");
        assert_eq!(spread(Duration::from_secs(60)), Duration::from_secs(6), "a short life bears but a short haste");
    }

    #[test]
    fn each_token_of_a_set_is_renewed_by_its_own_clock() {
        let later = now().plus(Duration::from_secs(1800));
        let user = json!({ "access_token": "u", "refresh_token": "ru", "obtained": now(), "expires": later });
        let hook = json!({ "access_token": "h", "obtained": now(), "expires": later });
        let clocks = clocks(&system_context(), &sample(json!({})), &set(json!({ "more": { "user": user, "hook": hook } })), true);
        let of = |name: &str| clocks.iter().find(|clock| clock.token == name).unwrap();
        let after = |name| of(name).renew_at.unwrap().since(now()).as_secs();
        assert!((2400 - 300..=2400).contains(&after("main")) && (1200 - 180..=1200).contains(&after("user")), "{clocks:?}");
        assert_eq!((of("hook").kind, of("hook").renew_at), (ClockKind::RefreshAbsolute, None), "nothing renews it");
    }

    #[test]
    fn what_nobody_uses_is_kept_where_it_would_die_of_that() {
        let day = Duration::from_secs(86_400);
        assert_eq!(kept_after(day * 30), day * 15);
        assert_eq!(kept_after(day * 10), day * 3, "a week before its end");
        assert_eq!(kept_after(day * 6), day * 3, "it does not live for a week");
        let idle = set(json!({ "refresh_expires": now().plus(day * 90) }));
        let server = |keep: bool| sample(json!({ "lifetime": { "access": { "seconds": 3600 }, "idle_seconds": 7_776_000, "keep_alive": keep } }));
        let renewed = |keep| clocks(&system_context(), &server(keep), &idle, false).into_iter().find(|clock| clock.kind == ClockKind::RefreshIdle).unwrap().renew_at;
        assert_eq!(renewed(true), Some(now().plus(day * 45)));
        assert_eq!(renewed(false), None);
    }

    #[test]
    fn what_has_no_end_is_tried_now_and_then() {
        let server = sample(json!({ "lifetime": { "access": { "silent": { "non_expiring": { "probe_days": 2 } } } } }));
        let endless = set(json!({ "expiry": "non_expiring", "refresh_token": null }));
        let clocks = clocks(&system_context(), &server, &endless, false);
        let [probe] = clocks.as_slice() else { panic!("{clocks:?}") };
        assert_eq!((probe.kind, probe.at, probe.renew_at), (ClockKind::NonexpiringProbe, now().plus(Duration::from_secs(172_800)), Some(probe.at)));
    }
}
