//! Keys that a person would make at the provider and enter: values of this simulator, worth nothing elsewhere.

use patchbay_model::ProviderId;
use patchbay_model::credential::CredentialKind;
use patchbay_providers::manifest::{Auth, Base, CredentialOption, Slot};
use serde_json::{Map, Value, json};

use crate::capture::Values;
use crate::site::{Site, address_in};
use crate::world::World;

/// The key with which assertions are signed in simulations. It is published here and worth nothing.
pub(crate) const SIGNING_KEY: &str = include_str!("../keys/assertion.pem");
/// The one that takes its place: a key that is changed at the provider is another key.
const NEXT_SIGNING_KEY: &str = include_str!("../keys/assertion-2.pem");

/// A key as it is entered.
#[derive(Clone, PartialEq, Debug)]
pub struct SampleKey {
    /// Whose it is.
    pub provider: ProviderId,
    /// `type` of the way it is for.
    pub way: String,
    /// What is entered: the fields of the credential, without its `type`.
    pub fields: Map<String, Value>,
    pub(crate) ended: bool,
}

impl SampleKey {
    pub(crate) fn text(&self, field: &str) -> Option<&str> {
        self.fields.get(field).and_then(Value::as_str)
    }

    /// What templates are filled with where this key is used.
    pub(crate) fn values(&self) -> Values {
        let mut values = Values::new();
        for (slot, field) in [(Slot::Secret, "secret"), (Slot::Username, "username"), (Slot::ClientId, "client_id"), (Slot::ClientSecret, "client_secret")] {
            values.extend(self.text(field).map(|text| (slot, text.to_owned())));
        }
        for (name, value) in self.fields.get("extra").and_then(Value::as_object).into_iter().flatten() {
            values.extend(value.as_str().map(|text| (Slot::Extra(name.clone()), text.to_owned())));
        }
        values
    }
}

/// Makes one.
pub(crate) fn make(world: &mut World, site: &Site, way: &CredentialOption) -> SampleKey {
    let number = world.next();
    let manifest = site.manifest();
    let secret = format!("sim_key_{number}");
    let fields = match way.kind {
        CredentialKind::Token | CredentialKind::Secret => match way.base.as_ref().unwrap_or(&manifest.base) {
            Base::Secret { hosts, joined } => {
                let address = address_in(hosts, manifest);
                json!({ "secret": if *joined { format!("{address}/sim?se=2099-01-01T00%3A00%3A00Z&sig={secret}") } else { format!("{address}/sim/{number}/{secret}") } })
            }
            _ => json!({ "secret": secret }),
        },
        CredentialKind::Basic => json!({ "username": format!("sim-{number}@example.com"), "secret": secret }),
        CredentialKind::OAuthClient => {
            let signs = matches!(&way.auth, Auth::JwtBearer { .. } | Auth::SelfSigned { .. }) || matches!(&way.auth, Auth::Mint(mint) if mint.assertion.is_some());
            let by_assertion = way.auth.server().and_then(|name| manifest.server.get(name)).is_some_and(crate::clients::only_assertions);
            let extra: Map<String, Value> = way.extra.iter().map(|field| (field.name.clone(), json!(format!("sim_{}_{number}", field.name)))).collect();
            let before = world.keys.iter().filter(|key| key.provider == manifest.id && key.way == way.word).count();
            let signing = if before % 2 == 0 { SIGNING_KEY } else { NEXT_SIGNING_KEY };
            let client_secret = if signs || by_assertion { signing.to_owned() } else { secret };
            let mut fields = json!({ "client_id": format!("sim-client-{number}"), "client_secret": client_secret });
            if let Some(members) = fields.as_object_mut().filter(|_| !extra.is_empty()) {
                members.insert("extra".to_owned(), Value::Object(extra));
            }
            fields
        }
        CredentialKind::Aws => json!({ "access_key_id": format!("AKIASIM{number:013}"), "secret_access_key": secret }),
        CredentialKind::AwsRole => json!({ "role_arn": format!("arn:aws:iam::123456789012:role/sim-{number}"), "external_id": format!("sim-external-{number}") }),
        CredentialKind::TlsCertificate | CredentialKind::OAuthUser => json!({}),
    };
    let Value::Object(fields) = fields else { return SampleKey { provider: manifest.id.clone(), way: way.word.clone(), fields: Map::new(), ended: false } };
    let key = SampleKey { provider: manifest.id.clone(), way: way.word.clone(), fields, ended: false };
    world.keys.push(key.clone());
    key
}

/// Writes an external id into the trust policy of a role that was made; gives what is entered for it from then on.
pub(crate) fn trust(world: &mut World, provider: &ProviderId, fields: &Map<String, Value>, external_id: &str) -> Option<Map<String, Value>> {
    let role = world.keys.iter_mut().find(|known| known.provider == *provider && known.fields == *fields && known.fields.contains_key("external_id"))?;
    role.fields.insert("external_id".to_owned(), external_id.into());
    Some(role.fields.clone())
}
