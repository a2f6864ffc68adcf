//! A sample organization with believable data on mock providers, to look around in. It is made by the same verbs as
//! anything else, so its audit log and its tokens are real; nothing in it calls the network.

mod tickets;

use patchbay_model::integration::{AttentionCause, IntegrationStatus};
use patchbay_model::member::MemberType;
use patchbay_model::point::{AllowedProviders, PointEnvironments, PointPolicy};
use patchbay_model::{Context, Environment, Origin, Problem, ProviderId, Scope};
use patchbay_vault::KeyAccess;
use serde_json::json;

use super::create::make;
use super::{Created, StoreUrl};
use crate::account::{self, CreateAccount};
use crate::integration::{self, CreateIntegration};
use crate::member::{self, CreateMember};
use crate::point::{self, CreatePoint};
use crate::provider_app::{self, CreateProviderApp};
use crate::{Engine, ManagementGrant};

const MOCK: &str = "ticketing_mock_ticketing";

/// Name, full name, labels, and the integrations: name, full name, point, what became of it.
struct Customer {
    fullname: &'static str,
    environment: Environment,
    labels: &'static [&'static str],
    desks: &'static [(&'static str, Fate)],
}

/// What became of an integration since it was made.
#[derive(Clone, Copy)]
enum Fate {
    Works,
    Paused,
    Attention(AttentionCause),
    /// An identity provider that nobody has authorized yet.
    Awaits,
}

use Fate::{Attention, Awaits, Paused, Works};

const CUSTOMERS: &[Customer] = &[
    Customer {
        fullname: "Alder & Finch Insurance",
        environment: Environment::Prod,
        labels: &["tier:gold", "eu"],
        desks: &[("Claims desk", Works), ("IT help desk", Works), ("Staff sign-in", Awaits)],
    },
    Customer {
        fullname: "Bluewater Logistics",
        environment: Environment::Prod,
        labels: &["tier:gold", "us"],
        desks: &[("Dispatch tickets", Works), ("Fleet maintenance", Attention(AttentionCause::ProviderUnreachable))],
    },
    Customer {
        fullname: "Cedar Valley Clinics",
        environment: Environment::Prod,
        labels: &["tier:silver", "us", "health"],
        desks: &[("Device support", Works), ("Patient portal issues", Works)],
    },
    Customer { fullname: "Dunmore Savings Bank", environment: Environment::Prod, labels: &["tier:gold", "eu", "finance"], desks: &[("Branch IT", Works), ("Fraud cases", Paused)] },
    Customer { fullname: "Eastgate University", environment: Environment::Prod, labels: &["tier:silver", "eu"], desks: &[("Campus help desk", Works), ("Library systems", Works)] },
    Customer { fullname: "Fennel Foods", environment: Environment::Prod, labels: &["tier:bronze", "us"], desks: &[("Store support", Works)] },
    Customer {
        fullname: "Granite Peak Energy",
        environment: Environment::Prod,
        labels: &["tier:gold", "us", "field"],
        desks: &[("Field service", Attention(AttentionCause::CredentialRefused)), ("Grid operations", Works)],
    },
    Customer { fullname: "Harbour Hotels", environment: Environment::Prod, labels: &["tier:silver", "eu"], desks: &[("Property maintenance", Works), ("Guest feedback", Works)] },
    Customer { fullname: "Ivory Coast Textiles", environment: Environment::Prod, labels: &["tier:bronze", "eu"], desks: &[("Plant requests", Paused)] },
    Customer { fullname: "Juniper Labs", environment: Environment::Prod, labels: &["tier:silver", "us", "research"], desks: &[("Lab equipment", Works)] },
    Customer { fullname: "Sandbox Northwind", environment: Environment::Test, labels: &["internal"], desks: &[("Rehearsal desk", Works), ("Load test desk", Works)] },
    Customer { fullname: "Demo for Sales", environment: Environment::Test, labels: &["internal", "demo"], desks: &[("Demo desk", Works), ("Sign-in demo", Awaits)] },
];

/// Creates a store with a sample organization, filled with believable data on mock providers.
///
/// # Errors
/// Like [`super::create`].
pub async fn create_sample(store: &StoreUrl, keys: &KeyAccess, context: Context) -> Result<(Engine, Created), Problem> {
    let (engine, created) = make(store, keys, "Northwind Software", true, context).await?;
    let grant = engine.local_grant(created.organization.id, Origin::Cli).await?;
    match fill(&engine, &grant).await {
        Ok(()) => Ok((engine, created)),
        Err(problem) => {
            engine.shutdown().await;
            Err(problem)
        }
    }
}

async fn fill(engine: &Engine, grant: &ManagementGrant) -> Result<(), Problem> {
    points(engine, grant).await?;
    people(engine, grant).await?;
    let mut desk_number = 0;
    for customer in CUSTOMERS {
        let new = CreateAccount {
            fullname: Some(customer.fullname.to_owned()),
            environment: Some(customer.environment),
            labels: customer.labels.iter().map(|&label| label.to_owned()).collect(),
            ..CreateAccount::default()
        };
        let account = account::create(engine, grant, new).await?.account;
        for (fullname, fate) in customer.desks {
            connect(engine, grant, &account.id.to_string(), fullname, *fate, desk_number).await?;
            desk_number += 1;
        }
    }
    Ok(())
}

async fn points(engine: &Engine, grant: &ManagementGrant) -> Result<(), Problem> {
    let these = |ids: &[&str]| ids.iter().map(|id| ProviderId::parse(id)).collect::<Result<Vec<_>, _>>().map(AllowedProviders::These);
    let new = |name: &str, fullname: &str, description: &str, connector: &str, environments: PointEnvironments| CreatePoint {
        name: Some(name.to_owned()),
        fullname: Some(fullname.to_owned()),
        description: Some(description.to_owned()),
        connector: connector.to_owned(),
        environments,
        policy: PointPolicy::default(),
    };
    let desks = PointEnvironments { test: Some(AllowedProviders::All), prod: Some(these(&[MOCK, "ticketing_jira", "ticketing_redmine"])?) };
    point::create(engine, grant, new("support-desks", "Support desks", "Tickets of the customer's own help desk, shown beside ours.", "ticketing", desks)).await?;
    let rehearsal = PointEnvironments { test: Some(AllowedProviders::All), prod: None };
    point::create(engine, grant, new("rehearsal", "Rehearsal", "For trying integrations out; closed for production accounts.", "ticketing", rehearsal)).await?;
    let sign_in = PointEnvironments { test: Some(AllowedProviders::All), prod: Some(these(&["identity_openid"])?) };
    point::create(engine, grant, new("workforce-sign-in", "Workforce sign-in", "The customer's identity provider, authorized by its administrator.", "identity", sign_in)).await?;
    Ok(())
}

async fn people(engine: &Engine, grant: &ManagementGrant) -> Result<(), Problem> {
    let person = |name: &str, fullname: &str, role: &str, member_type: MemberType| CreateMember {
        name: name.to_owned(),
        fullname: Some(fullname.to_owned()),
        nickname: None,
        picture: None,
        secret: None,
        role_binding: vec![role.to_owned()],
        member_type,
        ttl: None,
        token_ttl: None,
        options: Vec::new(),
    };
    member::create(engine, grant, person("mira.okafor@northwind.example", "Mira Okafor", "administrator", MemberType::Personal)).await?;
    member::create(engine, grant, person("tomas.lind@northwind.example", "Tomas Lind", "viewer", MemberType::Personal)).await?;
    member::create(engine, grant, person("nightly-pipeline", "Nightly pipeline", "member", MemberType::Service)).await?;
    let app = CreateProviderApp {
        name: Some("workforce".to_owned()),
        fullname: Some("Northwind at customers' identity providers".to_owned()),
        provider: "identity_openid".to_owned(),
        issuer: Some("https://login.alderfinch.example".to_owned()),
        client_id: "northwind-patchbay".to_owned(),
        client_secret: None,
        redirect_uris: vec!["https://patchbay.northwind.example/oauth/callback".to_owned()],
        scopes: vec!["openid".to_owned(), "profile".to_owned(), "email".to_owned()],
        secret_expires: None,
    };
    provider_app::create(engine, grant, app).await?;
    Ok(())
}

async fn connect(engine: &Engine, grant: &ManagementGrant, account: &str, fullname: &str, fate: Fate, number: usize) -> Result<(), Problem> {
    let (config, point) = match fate {
        Awaits => (json!({ "type": "identity_openid", "issuer": "https://login.alderfinch.example", "credential": { "type": "o_auth_user" } }), "workforce-sign-in"),
        Works | Paused | Attention(_) => {
            (json!({ "type": MOCK, "name": patchbay_model::Name::from_fullname(fullname).map_or_else(String::new, |name| name.to_string()) }), "support-desks")
        }
    };
    let new = CreateIntegration { fullname: Some(fullname.to_owned()), provider_config: config, integration_point: Some(point.to_owned()), ..CreateIntegration::default() };
    let made = integration::create(engine, grant, account, new).await?.integration;
    if matches!(fate, Awaits) {
        return Ok(());
    }
    let mut tx = engine.store().write(Scope::Account(made.organization_id, made.account_id), Origin::Cli).await?;
    for (collection, id, body) in tickets::documents(engine.context(), number)? {
        tx.put_document(made.account_id, made.id, collection, &id, &body).await?;
    }
    if let Attention(cause) = fate {
        tx.set_integration_status(made.id, &[], IntegrationStatus::NeedsAttention { cause }, engine.now(), false).await?;
    }
    tx.commit().await?;
    if matches!(fate, Paused) {
        integration::pause(engine, grant, account, &made.id.to_string()).await?;
    }
    Ok(())
}
