//! `patchbay serve`: the API and the web interface.

use crate::arguments::Serve;
use crate::failure::Failure;
use crate::output::Output;

pub(crate) async fn run(arguments: Serve, output: &Output) -> Result<(), Failure> {
    let _ = (arguments, output);
    Err(patchbay_model::Problem::internal("the server is not connected yet").into())
}
