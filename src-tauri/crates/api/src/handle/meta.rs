//! `meta.*`: the documents that describe the two APIs and the files of the catalog. They hold nothing of the organization's.

use patchbay_model::{Operation, Problem};
use patchbay_providers::manifest::JSON_SCHEMA;

use super::Bare;
use crate::openapi;
use crate::reply::{Document, SchemaDocument};

pub(crate) async fn management(call: Bare<'_>) -> Result<Document, Problem> {
    call.grant.require(Operation::MetaManagementOpenapiSpec, None)?;
    Ok(Document(openapi::management(&*call.engine.catalog_for(call.grant).await?)))
}

pub(crate) async fn manifest_schema(call: Bare<'_>) -> Result<SchemaDocument, Problem> {
    call.grant.require(Operation::ManifestsSchema, None)?;
    serde_json::from_str(JSON_SCHEMA).map(SchemaDocument).map_err(|_| Problem::internal("the published schema of manifests does not parse"))
}

pub(crate) async fn engine(call: Bare<'_>) -> Result<Document, Problem> {
    call.grant.require(Operation::MetaEngineOpenapiSpec, None)?;
    Ok(Document(openapi::engine()))
}
