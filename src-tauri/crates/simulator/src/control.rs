//! The simulator's own addresses, below the host `-`: faults, registrations, keys, the log.

use patchbay_model::{ProviderId, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::fault::{ActiveFault, Fault, FaultOrder};
use crate::keys;
use crate::simulator::{Simulator, shown};
use crate::wire::{SimAnswer, SimRequest};
use crate::world::{Access, World};

/// Orders a fault; what happens at once happens now.
pub(crate) fn order(world: &mut World, order: FaultOrder, now: Timestamp) {
    let of = |provider: &ProviderId| order.provider.as_ref().is_none_or(|wanted| wanted == provider);
    let is = |name: &str| order.token.as_deref().is_none_or(|wanted| wanted == name);
    match &order.fault {
        Fault::ExpireAccess => {
            let World { access, refresh, .. } = world;
            // An access token has the name of the refresh token beside it.
            let named = |access: &Access| access.beside.as_ref().and_then(|beside| refresh.get(beside)).is_some_and(|refresh| is(&refresh.name));
            for access in access.values_mut().filter(|access| of(&access.provider) && (order.token.is_none() || named(access))) {
                access.until = Some(now);
            }
        }
        Fault::ExpireRefresh => {
            let grants: Vec<bool> = world.grants.iter().map(|grant| of(&grant.provider)).collect();
            for refresh in world.refresh.values_mut().filter(|refresh| grants.get(refresh.grant) == Some(&true) && is(&refresh.name)) {
                refresh.ended = true;
            }
        }
        Fault::ReuseRefresh => {
            let grants: Vec<bool> = world.grants.iter().map(|grant| of(&grant.provider)).collect();
            for refresh in world.refresh.values_mut().filter(|refresh| grants.get(refresh.grant) == Some(&true) && is(&refresh.name)) {
                refresh.stolen = true;
            }
        }
        Fault::RevokeGrant => {
            for grant in world.grants.iter_mut().filter(|grant| of(&grant.provider)) {
                grant.ended = true;
            }
        }
        Fault::Places { count } => world.places = Some(*count),
        Fault::Advance { seconds } => world.ahead += std::time::Duration::from_secs(*seconds),
        Fault::Outage { seconds } => {
            let until = now.plus(std::time::Duration::from_secs(*seconds));
            let providers: Vec<ProviderId> = world.families.keys().filter(|provider| of(provider)).cloned().collect();
            world.outages.extend(providers.into_iter().map(|provider| (provider, until)));
        }
        _ => world.faults.push(ActiveFault { order }),
    }
}

#[derive(Deserialize)]
struct Registration {
    provider: ProviderId,
    redirect_uris: Vec<String>,
}

#[derive(Deserialize)]
struct KeyOrder {
    provider: ProviderId,
    way: String,
    /// In the trust policy, where the key is a role.
    #[serde(default)]
    external_id: Option<String>,
}

/// An answer of the simulator itself.
pub(crate) fn answer(simulator: &Simulator, world: &mut World, machine: Timestamp, request: &SimRequest) -> SimAnswer {
    let now = machine.plus(world.ahead);
    match (request.method.as_str(), request.path.as_str()) {
        ("POST", "/faults") => read(request, |ordered: FaultOrder| {
            order(world, ordered, now);
            json!({})
        }),
        ("DELETE", "/faults") => {
            world.faults.clear();
            world.outages.clear();
            SimAnswer::json(200, &json!({}))
        }
        ("POST", "/clients") => read(request, |registration: Registration| {
            for client in world.clients.values_mut().filter(|client| client.provider == registration.provider) {
                client.redirect_uris.clone_from(&registration.redirect_uris);
            }
            json!({})
        }),
        ("POST", "/keys") => read(request, |order: KeyOrder| {
            let made = simulator.made(world, &order.provider, &order.way);
            let trusting = order.external_id.as_deref().zip(made.as_ref()).and_then(|(id, fields)| keys::trust(world, &order.provider, fields, id));
            trusting.or(made).map_or(Value::Null, Value::Object)
        }),
        ("GET", "/log") => {
            let after: u64 = request.params().get("after").and_then(|after| after.parse().ok()).unwrap_or_default();
            let entries: Vec<_> = world.log.iter().filter(|entry| entry.number > after).collect();
            SimAnswer::json(200, &json!(entries))
        }
        ("GET", "/state") => {
            let alive = world.grants.iter().filter(|grant| !grant.ended).count();
            SimAnswer::json(200, &json!({ "now": now.to_string(), "grants": world.grants.len(), "alive": alive, "faults": world.faults.len() }))
        }
        ("GET", "/providers") => SimAnswer::json(200, &Value::Array(simulator.listed(world))),
        _ => SimAnswer::nothing_here("there is /-/faults, /-/clients, /-/keys, /-/log, /-/state and /-/providers"),
    }
}

fn read<T: serde::de::DeserializeOwned>(request: &SimRequest, act: impl FnOnce(T) -> Value) -> SimAnswer {
    match serde_json::from_slice(&request.body) {
        Ok(read) => SimAnswer::json(200, &act(read)),
        Err(error) => SimAnswer::json(400, &json!({ "error": "invalid_request", "error_description": error.to_string() })),
    }
}

impl Simulator {
    /// What is needed to use each provider, as the program prints it.
    pub fn described(&self) -> Vec<Value> {
        self.providers()
            .filter_map(|provider| self.setup(provider))
            .map(|setup| {
                json!({
                    "id": setup.provider,
                    "client_id": setup.client_id,
                    "client_secret": setup.client_secret,
                    "redirect_uris": setup.redirect_uris,
                    "person": { "login": setup.person.0, "password": setup.person.1 },
                    "sample_config": setup.config,
                })
            })
            .collect()
    }

    fn listed(&self, world: &World) -> Vec<Value> {
        self.providers()
            .filter_map(|provider| {
                let client = world.clients.values().find(|client| client.provider == *provider)?;
                Some(json!({ "id": provider, "redirect_uris": client.redirect_uris, "config": self.config(provider).map(shown) }))
            })
            .collect()
    }
}
