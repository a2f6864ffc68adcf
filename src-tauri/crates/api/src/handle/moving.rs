//! `configuration.recipient`, `configuration.copy`, `configuration.fill`
//!
//! Over HTTP an image may also travel as it is (`application/octet-stream`), of any size; as JSON it is bounded.

use std::io::{Read, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use patchbay_engine::moving;
use patchbay_model::{Code, Problem};

use super::{Bare, With};
use crate::image::{self, spool};
use crate::request::Json;
use crate::wire::envelope::Answer;
use crate::wire::moving::{ConfigurationFilled, CopyConfiguration, FillConfiguration, ImageRecipient, SealedImage};

/// Most bytes of an image in a JSON answer.
const LARGEST: u64 = 16 << 20;

pub(crate) async fn recipient(call: Bare<'_>) -> Result<Answer<ImageRecipient>, Problem> {
    let recipient = moving::recipient(call.engine, call.grant).await?;
    Ok(Answer::of(ImageRecipient { recipient: recipient.to_string() }))
}

pub(crate) async fn copy(call: With<'_, Json<CopyConfiguration>>) -> Result<Answer<SealedImage>, Problem> {
    let file = image::sealed(call.engine, call.grant, &call.body.0.recipient).await?;
    let mut bytes = Vec::new();
    let read = file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(spool)?;
    if read as u64 > LARGEST {
        return Err(Problem::new(
            Code::PayloadTooLarge,
            "The image is too large for a JSON answer. Ask POST /v1/x/configuration/copy for it with `Accept: application/octet-stream`, as `patchbay store copy` does.",
        ));
    }
    Ok(Answer::of(SealedImage { image: STANDARD.encode(bytes) }))
}

pub(crate) async fn fill(call: With<'_, Json<FillConfiguration>>) -> Result<Answer<ConfigurationFilled>, Problem> {
    let bytes = STANDARD.decode(call.body.0.image.expose()).map_err(|_| Problem::field("/image", "The image is not base64. Send what `configuration.copy` gave."))?;
    let mut file = image::waiting()?;
    file.write_all(&bytes).map_err(spool)?;
    image::filled(call.engine, call.grant, file).await.map(Answer::of)
}
