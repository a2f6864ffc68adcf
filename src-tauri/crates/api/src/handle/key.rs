//! `keys.*`

use patchbay_engine::key;
use patchbay_model::Problem;

use super::{Bare, With};
use crate::request::Json;
use crate::wire::envelope::Answer;
use crate::wire::key::{KeyStatus, RotateKeys, WhichKey};

pub(crate) async fn status(call: Bare<'_>) -> Result<Answer<KeyStatus>, Problem> {
    key::status(call.engine, call.grant).await.map(|status| Answer::of(status.into()))
}

pub(crate) async fn rotate(call: With<'_, Json<RotateKeys>>) -> Result<Answer<KeyStatus>, Problem> {
    let RotateKeys { key, to, passphrase } = call.body.0;
    match key {
        WhichKey::Data if to.is_some() || passphrase.is_some() => {
            return Err(Problem::field("/to", "A data key has no source: it lies in the store, wrapped under the master key. Leave `to` and `passphrase` out."));
        }
        WhichKey::Data => key::begin_data_rotation(call.engine, call.grant).await?,
        WhichKey::Master => {
            key::rotate_master(call.engine, call.grant, key::next_source(to.as_deref(), passphrase)?).await.map(drop)?;
        }
    }
    key::status(call.engine, call.grant).await.map(|status| Answer::of(status.into()))
}

pub(crate) async fn forget(call: Bare<'_>) -> Result<Answer<KeyStatus>, Problem> {
    key::forget_replaced(call.engine, call.grant).await?;
    key::status(call.engine, call.grant).await.map(|status| Answer::of(status.into()))
}
