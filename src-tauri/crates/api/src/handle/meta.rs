//! `meta.*`: the documents that describe the two APIs. They hold nothing of the organization's.

use patchbay_model::{Operation, Problem};

use super::Bare;
use crate::openapi;
use crate::reply::Document;

pub(crate) async fn management(call: Bare<'_>) -> Result<Document, Problem> {
    call.grant.require(Operation::MetaManagementOpenapiSpec, None)?;
    Ok(Document(openapi::management(call.engine.catalog())))
}

pub(crate) async fn engine(call: Bare<'_>) -> Result<Document, Problem> {
    call.grant.require(Operation::MetaEngineOpenapiSpec, None)?;
    Ok(Document(openapi::engine()))
}
