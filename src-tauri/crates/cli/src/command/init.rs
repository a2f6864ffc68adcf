//! `patchbay init`: a store with an organization, or one more organization in a store.

use patchbay_engine::installation::{self, Created};
use patchbay_engine::token::LiveSecret;
use patchbay_vault::system_context;
use serde_json::{Value, json};

use crate::arguments::Init;
use crate::failure::Failure;
use crate::installation::key_access;
use crate::output::Output;

pub(crate) async fn run(arguments: Init, output: &Output) -> Result<(), Failure> {
    let store = arguments.store.url()?;
    store.opened_here()?;
    let keys = key_access(&arguments.store.key, true)?;
    let (engine, created) = match arguments.sample {
        true => installation::create_sample(&store, &keys, system_context()).await?,
        false => installation::create(&store, &keys, arguments.organization.as_deref().unwrap_or_default(), system_context()).await?,
    };
    engine.shutdown().await;
    let Created { organization, token, .. } = &created;
    let Some(pair) = &token.primary else {
        return Err(patchbay_model::Problem::internal("the new organization has no token").into());
    };
    let mut secrets = json!({ "id": token.container.id, "access": secret(&pair.access) });
    let mut words = format!("Organization `{}` ({}) is in {store}.\nAccess token, until {}:\n  {}\n", organization.name, organization.id, pair.access.expires, shown(&pair.access));
    if let (Some(refresh), Some(object)) = (&pair.refresh, secrets.as_object_mut()) {
        object.insert("refresh".to_owned(), secret(refresh));
        words.push_str(&format!("Refresh token, until {}:\n  {}\n", refresh.expires, shown(refresh)));
    }
    words.push_str("They are shown this once. Keep them where secrets are kept.\n");
    let value = json!({
        "organization": { "id": organization.id, "name": organization.name, "fullname": organization.fullname, "token": secrets },
        "store": store.to_string(),
    });
    output.result(&words, &value);
    Ok(())
}

fn secret(live: &LiveSecret) -> Value {
    json!({ "secret": shown(live), "expires": live.expires })
}

fn shown(live: &LiveSecret) -> &str {
    live.secret.as_ref().map(patchbay_model::Secret::expose).unwrap_or_default()
}
