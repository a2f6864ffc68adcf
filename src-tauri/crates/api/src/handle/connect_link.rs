//! `connect_links.*`

use patchbay_engine::{Engine, connect_link};
use patchbay_model::public_link::PublicLink;
use patchbay_model::{Problem, Secret};

use super::{Bare, Call, With, page};
use crate::picture;
use crate::request::{Json, ListOf, NoBody};
use crate::wire::connect_link::{ConnectLink, ConnectLinkCreated, CreateConnectLink};
use crate::wire::envelope::{Answer, Listed};

pub(crate) async fn list(call: Call<'_, ListOf, NoBody>) -> Result<Listed<ConnectLink>, Problem> {
    let mut links = connect_link::list(call.engine, call.grant, call.query.list).await?;
    let now = call.engine.now();
    let views: Vec<ConnectLink> = std::mem::take(&mut links.items).into_iter().filter_map(|link| ConnectLink::view(link, now)).collect();
    Ok(page(links, views))
}

pub(crate) async fn create(call: With<'_, Json<CreateConnectLink>>) -> Result<Answer<ConnectLinkCreated>, Problem> {
    let body = call.body.0;
    let new = connect_link::CreateConnectLink {
        account: body.account_id,
        integration: body.integration_id,
        integration_point: body.integration_point_id,
        provider: body.provider,
        end_user: body.end_user_id,
        ttl: body.ttl,
        uses: body.uses,
        return_url: body.return_url,
    };
    let made = connect_link::create(call.engine, call.grant, new).await?;
    let link = view(call.engine, made.link)?;
    let (url, qr, note) = address(call.engine.public_url(), &made.secret)?;
    Ok(Answer::of(ConnectLinkCreated { link, url, qr, note }))
}

pub(crate) async fn revoke(call: Bare<'_>) -> Result<Answer<ConnectLink>, Problem> {
    let link = connect_link::revoke(call.engine, call.grant, call.path("connect_link_id")?).await?;
    Ok(Answer::of(view(call.engine, link)?))
}

fn view(engine: &Engine, link: PublicLink) -> Result<ConnectLink, Problem> {
    ConnectLink::view(link, engine.now()).ok_or_else(|| Problem::internal("a connect link is for no account"))
}

/// The address of a link, and the same as a picture for the camera of a phone.
fn address(public_url: Option<&str>, secret: &Secret) -> Result<(String, Option<String>, Option<String>), Problem> {
    let path = format!("/connect/{}", secret.expose());
    let Some(public_url) = public_url else {
        let note = "The link works at the address of a served Patchbay on this store. Start `patchbay serve`, and put its address in front.";
        return Ok((path, None, Some(note.to_owned())));
    };
    let url = format!("{public_url}{path}");
    let picture = picture::of(&url)?;
    Ok((url, Some(picture), None))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_picture_where_somebody_serves_it() {
        let secret = Secret::new(format!("pbc_{}", "a".repeat(49)));
        let (url, qr, note) = address(Some("https://connect.example.com"), &secret).unwrap();
        assert_eq!(url, format!("https://connect.example.com/connect/pbc_{}", "a".repeat(49)));
        let qr = qr.unwrap();
        assert!(qr.contains("<svg") && !qr.contains("pbc_") && !qr.contains("script"), "{qr}");
        assert_eq!(note, None);
        let (url, qr, note) = address(None, &secret).unwrap();
        assert!(url.starts_with("/connect/pbc_") && qr.is_none() && note.unwrap().contains("patchbay serve"));
    }
}
