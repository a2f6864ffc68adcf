//! The whole IPC surface: two commands.

use patchbay_api::wire::problem::Problem;
use patchbay_model::change::Change;
use serde_json::Value;
use tauri::State;
use tauri::ipc::Channel;

use crate::desk::Desk;

/// Runs one command of the contract as the holder of the store's key. No bearer token is taken or accepted here: a
/// connector operation runs only through `integrations.call`, for which the core makes its own short-lived grant.
#[tauri::command]
pub(crate) async fn rpc(desk: State<'_, Desk>, command: String, params: Option<Value>) -> Result<Value, Problem> {
    let params = params.unwrap_or_else(|| Value::Object(serde_json::Map::new()));
    desk.run(&command, params).await.map_err(|problem| desk.view(problem, &command))
}

/// Sends changes of the open store, this window's own and those of other processes, until the window goes.
#[tauri::command]
pub(crate) async fn subscribe(desk: State<'_, Desk>, channel: Channel<Change>) -> Result<(), Problem> {
    desk.subscribe(channel).await;
    Ok(())
}
