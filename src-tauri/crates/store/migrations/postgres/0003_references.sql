-- The policies of integration_credential_references asked for the wrong `integration_id`: integration_instances has a column of
-- that name too, the definition, and in the subquery it came first. So the scope of an account neither saw nor added any row,
-- and no consent could be stored. Here the column says whose it is. Servers of before work on as they did.
-- Run as `patchbay_owner` with `search_path = patchbay, pg_temp`.
DO $$
DECLARE
    own constant text := '(SELECT patchbay.scope_is_system()) OR (organization_id = (SELECT patchbay.scope_organization()) AND ((SELECT patchbay.scope_is_whole()) OR EXISTS (SELECT 1 FROM patchbay.integration_instances AS owner WHERE owner.id = integration_credential_references.integration_id AND owner.account_id = (SELECT patchbay.scope_account()))))';
BEGIN
    EXECUTE format('ALTER POLICY integration_credential_references_select ON integration_credential_references USING (%s)', own);
    EXECUTE format('ALTER POLICY integration_credential_references_insert ON integration_credential_references WITH CHECK (%s)', own);
    EXECUTE format('ALTER POLICY integration_credential_references_update ON integration_credential_references USING (%s)', own);
    EXECUTE format('ALTER POLICY integration_credential_references_delete ON integration_credential_references USING (%s)', own);
END;
$$;
