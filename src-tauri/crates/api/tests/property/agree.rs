//! Runs commands on the real thing and on the model, and compares.

use serde_json::Value;

use crate::commands::{Asked, Command, List};
use crate::lists::value;
use crate::model::{Kind, Model, Row};
use crate::unchanged;
use crate::world::{Answer, Call, Template, World};

/// Runs a sequence. The error says where real thing and model part.
pub(crate) async fn run(template: &Template, commands: &[Command]) -> Result<(), String> {
    let world = World::new(template, 7).await;
    let outcome = sequence(&world, commands).await;
    world.close().await;
    outcome
}

async fn sequence(world: &World, commands: &[Command]) -> Result<(), String> {
    let mut model = Model::new(world.organization(), world.member(), world.acting_token(), world.now());
    for kind in [Kind::Member, Kind::Token, Kind::Role] {
        let before = world.send(&whole_list(kind, None)).await;
        for wire in before.body["result"].as_array().into_iter().flatten() {
            model.adopt(kind, wire.clone());
        }
    }
    for (number, command) in commands.iter().enumerate() {
        if let Command::Wait { seconds } = command {
            world.advance(i64::from(*seconds) * 1_000_000);
        }
        // A moment passes for some commands and not for others, so that times of equal rows come about.
        world.advance(i64::try_from(number % 2).unwrap_or_default());
        model.now = world.now();
        let step = match command {
            Command::List(list) => listing(world, &model, list).await,
            _ => single(world, &mut model, command).await,
        };
        step.map_err(|trouble| format!("command {number}, {command:?}: {trouble}"))?;
    }
    everything(world, &model).await?;
    unchanged::written_back(world, &model).await
}

async fn single(world: &World, model: &mut Model, command: &Command) -> Result<(), String> {
    let Some(call) = command.call(model) else { return Ok(()) };
    let real = world.send(&call).await;
    let expected = model.answer(&call, &real);
    compared(&call, expected.map_err(|codes| codes.join(" or ")), &real)
}

fn compared(call: &Call, expected: Result<Value, String>, real: &Answer) -> Result<(), String> {
    let said = || match &real.refused {
        Some((code, words)) => format!("{code} ({words})"),
        None => format!("{} {}", real.status, real.body),
    };
    match (expected, &real.refused) {
        (Err(codes), Some((code, _))) if codes.split(" or ").any(|expected| expected == *code) => Ok(()),
        (Ok(expected), None) => {
            let verb = call.operation.rsplit('.').next().unwrap_or_default();
            let status = if verb.starts_with("create") {
                201
            } else if ["delete", "undo", "remove_secondary"].contains(&verb) {
                204
            } else {
                200
            };
            if real.status != status {
                return Err(format!("{call:?}: the status must be {status}, and is {}", real.status));
            }
            let result = real.body.get("result").unwrap_or(&Value::Null);
            if expected.is_null() { Ok(()) } else { agrees(&expected, result, "").map_err(|trouble| format!("{call:?}: {trouble}")) }
        }
        (Err(codes), _) => Err(format!("{call:?}: the model refuses with {codes}; the answer is {}", said())),
        (Ok(expected), Some(_)) => Err(format!("{call:?}: the model answers {expected}; the answer is {}", said())),
    }
}

/// Whether everything that is expected stands there. A null may be left out, and so may an empty list.
fn agrees(expected: &Value, real: &Value, at: &str) -> Result<(), String> {
    match (expected, real) {
        (Value::Object(members), Value::Object(_)) => members.iter().try_for_each(|(name, expected)| agrees(expected, &real[name.as_str()], &format!("{at}/{name}"))),
        (Value::Array(expected), Value::Array(items)) if expected.len() == items.len() => {
            expected.iter().zip(items).enumerate().try_for_each(|(index, (expected, real))| agrees(expected, real, &format!("{at}/{index}")))
        }
        (Value::Array(items), Value::Null) | (Value::Null, Value::Array(items)) if items.is_empty() => Ok(()),
        (expected, real) if expected == real => Ok(()),
        (expected, real) => Err(format!("{at} must be {expected}, and is {real}")),
    }
}

fn whole_list(kind: Kind, owner: Option<&Row>) -> Call {
    let (operation, name) = match (kind, owner) {
        (Kind::Integration, Some(_)) => ("integrations.list_account", "account_id"),
        (Kind::Credential, _) => ("credentials.list", "owner_id"),
        _ => (
            ["accounts.list", "integration_points.list", "integrations.list", "", "members.list", "tokens.list", "provider_apps.list", "roles.list", "organization_webhooks.list"]
                [kind as usize],
            "",
        ),
    };
    let path = owner.map(|row| (name, row.id.clone())).into_iter().collect();
    Call { operation, path, query: vec![("limit", "1000".to_owned()), ("total", "true".to_owned())], body: None }
}

/// At the end: every list whole, every secret tried, the store verified.
async fn everything(world: &World, model: &Model) -> Result<(), String> {
    for kind in Kind::ALL {
        let owners: Vec<Option<&Row>> = match kind {
            Kind::Credential => {
                model.rows.iter().filter(|row| row.gone.is_none() && matches!(row.kind, Kind::Account | Kind::Integration | Kind::Point | Kind::Webhook)).map(Some).collect()
            }
            _ => vec![None],
        };
        for owner in owners {
            let call = whole_list(kind, owner);
            let expected = model.listed(kind, owner.map(|row| row.id.as_str()), &[], &[]).unwrap_or_default();
            let real = world.send(&call).await;
            page(model, &expected, &real).map_err(|trouble| format!("in the end, {call:?}: {trouble}"))?;
        }
    }
    for shown in &model.shown {
        if world.opens(&shown.secret).await != model.lives(shown) {
            return Err(format!("in the end, a secret must {}open", if model.lives(shown) { "" } else { "not " }));
        }
    }
    world.sound().await.map_err(|trouble| format!("in the end, {trouble}"))
}

fn page(model: &Model, expected: &[&Row], real: &Answer) -> Result<(), String> {
    if let Some((code, words)) = &real.refused {
        return Err(format!("refused with {code} ({words})"));
    }
    let items = real.body["result"].as_array().ok_or("there is no result")?;
    let names = |ids: Vec<&str>| ids.iter().map(|id| model.rows.iter().find(|row| row.id == *id).map_or("?", |row| row.text("name")).to_owned()).collect::<Vec<_>>();
    let (wanted, got): (Vec<&str>, Vec<&str>) = (expected.iter().map(|row| row.id.as_str()).collect(), items.iter().map(|item| item["id"].as_str().unwrap_or_default()).collect());
    if wanted != got {
        return Err(format!("the rows must be {:?}, and are {:?}", names(wanted), names(got)));
    }
    expected.iter().zip(items).try_for_each(|(row, item)| agrees(&model.view(row), item, ""))
}

/// Reads a list, by all its pages or behind one bare key.
async fn listing(world: &World, model: &Model, list: &List) -> Result<(), String> {
    let Some(Asked { mut call, parent, filters, orders }) = list.asked(model) else { return Ok(()) };
    if let Some((name, text, code)) = list.mistake {
        call.query.retain(|(known, _)| *known != name || name == "order" || name == "filter");
        call.query.push((name, text.to_owned()));
        let real = world.send(&call).await;
        let refused = real.refused.as_ref().is_some_and(|(refused, _)| *refused == code || refused.starts_with("invalid_"));
        return if refused { Ok(()) } else { Err(format!("{call:?} must be refused with {code}, and is {real:?}")) };
    }
    let whole = match model.listed(list.kind, parent.as_deref(), &filters, &orders) {
        Ok(whole) => whole,
        Err(codes) => return compared(&call, Err(codes.join(" or ")), &world.send(&call).await),
    };
    let total = whole.len();
    let mut rest: &[&Row] = &whole;
    let mut behind: Vec<&Row> = Vec::new();
    let (field, descending) = orders.first().copied().unwrap_or(("name", false));
    if let Some(row) = list.behind.and_then(|number| whole.get(usize::from(number) % whole.len().max(1)))
        && let Some(key) = value(model, row, field)
    {
        // A bare key goes on behind all rows that have it.
        let beyond = |row: &&&Row| value(model, row, field).map_or(descending, |other| if descending { other < key } else { other > key });
        behind.extend(whole.iter().filter(beyond));
        rest = &behind;
        call.query.push(("start_after", key.to_owned()));
    }
    loop {
        let real = world.send(&call).await;
        let size = rest.len().min(usize::from(list.limit));
        let (now, later) = rest.split_at(size);
        page(model, now, &real).map_err(|trouble| format!("{call:?}: {trouble}"))?;
        expanded(model, list, now, &real).map_err(|trouble| format!("{call:?}: {trouble}"))?;
        if real.body["total"] != total {
            return Err(format!("{call:?}: the total must be {total}, and is {}", real.body["total"]));
        }
        if real.next.is_some() == later.is_empty() {
            return Err(format!("{call:?}: {} rows follow, and the next page is {:?}", later.len(), real.next));
        }
        let Some(next) = real.next else { return Ok(()) };
        call.query.retain(|(name, _)| *name != "start_after");
        call.query.push(("start_after", next));
        rest = later;
    }
}

fn expanded(model: &Model, list: &List, rows: &[&Row], real: &Answer) -> Result<(), String> {
    if list.kind != Kind::Integration {
        return Ok(());
    }
    let wanted = list.expand.unwrap_or_default();
    for (row, item) in rows.iter().zip(real.body["result"].as_array().into_iter().flatten()) {
        for (part, asked) in [("account", wanted.starts_with("a")), ("integration_point", wanted == "all" || wanted.starts_with('i'))] {
            let expected = model.rows.iter().find(|known| known.id == row.text(&format!("{part}_id"))).filter(|_| asked);
            match expected {
                None if item[part].is_null() => {}
                None => return Err(format!("{part} is put in although nobody asked")),
                Some(expected) => agrees(&expected.wire, &item[part], part)?,
            }
        }
    }
    Ok(())
}
