//! The catalog as a whole: every manifest parses, and says where its facts are from.

use patchbay_providers::Catalog;

#[test]
fn every_manifest_parses() {
    let catalog = Catalog::builtin().unwrap();
    assert_eq!(catalog.providers().len(), 4);
}
