use patchbay_engine::{session, token};
use patchbay_model::Code;

use crate::world::{HOUR, World, caller};

#[tokio::test]
async fn a_session_lives_as_long_as_its_token_and_ends_with_it() {
    let world = World::new().await;
    let secret = world.created.token.primary.as_ref().unwrap().access.secret.as_ref().unwrap().expose().to_owned();
    let grant = world.management(&secret).await;
    let opened = session::begin(&world.engine, &grant).await.unwrap();
    let resumed = session::resume(&world.engine, opened.handle.expose(), caller()).await.unwrap();
    assert_eq!((resumed.member(), resumed.permits()), (grant.member(), grant.permits()));
    assert_eq!(world.verify(opened.handle.expose()).await.unwrap_err().code, Code::TokenInvalid, "a handle is no token");
    assert!(session::resume(&world.engine, &secret, caller()).await.is_err(), "and a token is no handle");

    session::end(&world.engine, opened.handle.expose()).await.unwrap();
    assert!(session::resume(&world.engine, opened.handle.expose(), caller()).await.is_err());
    session::end(&world.engine, opened.handle.expose()).await.unwrap();

    let second = session::begin(&world.engine, &grant).await.unwrap();
    token::delete(&world.engine, &world.grant, &world.created.token.container.id.to_string()).await.unwrap();
    assert!(session::resume(&world.engine, second.handle.expose(), caller()).await.is_err(), "it ends with its token");

    let third = session::begin(&world.engine, &world.grant).await.unwrap();
    world.advance(12 * HOUR);
    assert!(session::resume(&world.engine, third.handle.expose(), caller()).await.is_err(), "it ends by the clock");
}

#[tokio::test]
async fn a_setup_link_opens_once_and_for_a_quarter_of_an_hour() {
    let world = World::new().await;
    let (link, _) = session::create_setup_link(&world.engine, world.created.organization.id).await.unwrap();
    let opened = session::redeem_setup_link(&world.engine, link.expose(), caller()).await.unwrap();
    assert_eq!(opened.grant.member(), world.created.member.id);
    assert!(session::redeem_setup_link(&world.engine, link.expose(), caller()).await.is_err(), "once");
    let (late, _) = session::create_setup_link(&world.engine, world.created.organization.id).await.unwrap();
    world.advance(15 * 60);
    assert_eq!(session::redeem_setup_link(&world.engine, late.expose(), caller()).await.err().unwrap().code, Code::TokenInvalid);
}
