//! Every management operation, with every permission set, on its own, a foreign and an absent object. What is expected
//! comes from the reviewed table of the engine, read here as data and by no code of the engine's; what is sent is good, so
//! that permission and reach decide and nothing else. `cells` asserts some of it apart, by hand.

mod cells;
mod place;
mod samples;
mod table;

use std::collections::BTreeMap;

use patchbay_server::routes::{Entry, Rule, entries};

use self::place::{Kind, Params, Realm};
use self::samples::{Body, SAMPLES, Sample};
use self::table::{Row, SETS};
use crate::world::Seen;

/// Who calls.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Reach {
    /// Everything of the organization.
    Whole,
    /// The accounts with the label `own`.
    Narrow,
}

/// On what.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Target {
    /// What the caller reaches.
    Own,
    /// The same kind of object in another account of the organization.
    OtherAccount,
    /// The same kind of object in another organization.
    OtherOrganization,
    /// Ids of nothing.
    Absent,
}

/// What must come of a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Expected {
    /// It is done.
    Done,
    /// 403: it is there, and not for this caller.
    Refused,
    /// 404.
    Missing,
    /// 403 or 404: whoever may not ask learns nothing either way.
    Either,
}

fn expected(row: &Row, sample: &Sample, set: &str, reach: Reach, target: Target) -> Expected {
    let may = (set == "administrator" || row.allow.iter().any(|allowed| allowed == set)) && !(reach == Reach::Narrow && row.organization_wide);
    match target {
        Target::Own if may => Expected::Done,
        Target::Own => Expected::Refused,
        // What belongs to an account that is out of reach is not there, whatever the caller may do elsewhere.
        _ if may => Expected::Missing,
        Target::OtherAccount if sample.kind.in_account() => Expected::Either,
        _ => Expected::Either,
    }
}

/// The targets that make a difference for a kind of object and a caller.
fn targets(kind: Kind, reach: Reach) -> Vec<Target> {
    match (kind.has_object(), kind.in_account(), reach) {
        (false, ..) => vec![Target::Own],
        (true, true, Reach::Narrow) => vec![Target::Own, Target::OtherAccount, Target::OtherOrganization, Target::Absent],
        (true, _, _) => vec![Target::Own, Target::OtherOrganization, Target::Absent],
    }
}

/// The routes of management operations that a token opens, with their samples.
fn routes() -> Vec<(Entry, &'static str, Vec<&'static Sample>)> {
    entries()
        .into_iter()
        .filter_map(|entry| match entry.rule {
            Rule::Management(operation) | Rule::RefreshOrManagement(operation) => {
                Some((entry, operation.id(), SAMPLES.iter().filter(|sample| sample.operation == operation.id()).collect()))
            }
            _ => None,
        })
        .collect()
}

#[test]
fn every_management_route_has_a_sample_and_a_row() {
    let table = table::rows();
    let mut without: Vec<&str> = routes().iter().filter(|(_, _, samples)| samples.is_empty()).map(|(_, id, _)| *id).collect();
    without.extend(routes().iter().map(|(_, id, _)| *id).filter(|id| !table.contains_key(*id)));
    assert!(without.is_empty(), "give these operations a sample in matrix/samples.rs: {without:?}");
    for sample in SAMPLES {
        assert!(routes().iter().any(|(_, id, _)| *id == sample.operation), "{} is no operation that is routed", sample.operation);
    }
}

/// One part of the routes against everybody; several parts run side by side.
async fn part(number: usize, of: usize) {
    let realm = Realm::new().await;
    let table = table::rows();
    let mut cells = BTreeMap::<&'static str, usize>::new();
    for (entry, id, samples) in routes().into_iter().skip(number).step_by(of) {
        for sample in samples {
            for set in SETS {
                for reach in [Reach::Whole, Reach::Narrow] {
                    check(&realm, &entry, &table[id], sample, set, reach, &mut cells).await;
                }
            }
        }
    }
    println!("cells: {cells:?}");
    assert!(cells.values().sum::<usize>() > 100, "the matrix was hardly run: {cells:?}");
}

async fn check(realm: &Realm, entry: &Entry, row: &Row, sample: &Sample, set: &'static str, reach: Reach, cells: &mut BTreeMap<&'static str, usize>) {
    let bearer = realm.bearer(set, reach == Reach::Narrow, sample.kind == Kind::Session);
    let mut unseen: Option<(Target, u16, String)> = None;
    for target in targets(sample.kind, reach) {
        let expected = expected(row, sample, set, reach, target);
        let params = match target {
            // What is changed or used up is made anew for every call that may do so.
            Target::Own if expected == Expected::Done && entry.method != "GET" => realm.fresh(sample.kind).await,
            Target::Own => realm.own[&sample.kind].clone(),
            Target::OtherAccount => realm.other[&sample.kind].clone(),
            Target::OtherOrganization => realm.foreign[&sample.kind].clone(),
            Target::Absent => realm.own[&sample.kind].absent(),
        };
        let seen = send(realm, entry, sample, &params, &bearer, target).await;
        let what = format!("{} by {set} ({reach:?}) on {target:?}: {} {}", sample.operation, seen.status, seen.text.chars().take(400).collect::<String>());
        let code = if seen.status >= 400 { seen.json()["code"].as_str().unwrap_or_default().to_owned() } else { String::new() };
        let (good, word) = match expected {
            Expected::Done => (sample.done.unwrap_or_else(|| status(entry)) == seen.status, "done"),
            Expected::Refused => (seen.status == 403 && code == "permission_denied", "refused"),
            Expected::Missing => (seen.status == 404 && code == "not_found", "missing"),
            Expected::Either => ((seen.status == 404 && code == "not_found") || (seen.status == 403 && code == "permission_denied"), "either"),
        };
        assert!(good, "expected {expected:?}: {what}");
        *cells.entry(word).or_default() += 1;
        if target != Target::Own {
            // A foreign object cannot be told from one that is not there.
            match &unseen {
                None => unseen = Some((target, seen.status, code)),
                Some((other, status, other_code)) => assert!((*status, other_code) == (seen.status, &code), "{other:?} and {target:?} are told apart: {status}; {what}"),
            }
        } else if (200..300).contains(&seen.status) && !(reach == Reach::Whole && LOGGED.contains(&sample.operation)) {
            // The log of an organization holds what its callers asked for in vain, ids of others among it.
            realm.nothing_foreign(&seen, reach == Reach::Narrow, &what);
        }
    }
}

/// Answers with rows of the audit log.
const LOGGED: [&str; 4] = ["audit.list", "audit.get", "audit.export", "overview.get"];

fn status(entry: &Entry) -> u16 {
    let (Rule::Management(operation) | Rule::RefreshOrManagement(operation)) = entry.rule else { return 200 };
    patchbay_api::operation::route(operation).map_or(200, |route| route.status)
}

async fn send(realm: &Realm, entry: &Entry, sample: &Sample, params: &Params, bearer: &str, target: Target) -> Seen {
    let path = params.fill(entry.path);
    let ask = realm.world.ask(entry.method, &path).bearer(bearer);
    let body = match &sample.body {
        Body::None => return ask.send().await,
        Body::Fullname => serde_json::json!([{"op": "replace", "path": "/fullname", "value": realm.words("Changed")}]),
        Body::Made(make) => make(params, &realm.words("made")),
        Body::Same => {
            // The whole object as the organization's administrator reads it; of what is absent, that of an own one.
            let (bearer, params) = match target {
                Target::OtherOrganization => (&realm.rival, params.clone()),
                Target::Absent => (&realm.world.access, realm.own[&sample.kind].clone()),
                Target::Own | Target::OtherAccount => (&realm.world.access, params.clone()),
            };
            realm.world.ask("GET", &params.fill(entry.path)).bearer(bearer).send().await.result()
        }
    };
    ask.json(&body).send().await
}

#[tokio::test]
async fn permission_sets_on_every_route_first_quarter() {
    part(0, 4).await;
}

#[tokio::test]
async fn permission_sets_on_every_route_second_quarter() {
    part(1, 4).await;
}

#[tokio::test]
async fn permission_sets_on_every_route_third_quarter() {
    part(2, 4).await;
}

#[tokio::test]
async fn permission_sets_on_every_route_fourth_quarter() {
    part(3, 4).await;
}
