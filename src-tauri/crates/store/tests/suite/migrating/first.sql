-- A store as the first schema held it, with something in every table, tombstones among it. `#7` stands for the id whose
-- last byte is 7, `@7` for the point in time seven seconds after the beginning.

INSERT INTO store_header (singleton, id, key_header, created_at) VALUES (1, #1, '{"version":1}', @0);
INSERT INTO organizations (id, name, fullname, refresh_token_id, contact, options, created_at, updated_at) VALUES (#2, 'acme-tools', 'Acme Tools', #60, 'ada@example.com', '{}', @0, @1);
INSERT INTO organizations (id, name, fullname, refresh_token_id, options, created_at, updated_at) VALUES (#3, 'others', 'Others', #69, '{}', @0, @0);
INSERT INTO roles (id, organization_id, name, fullname, description, resources, permission_set, created_at, updated_at) VALUES (#4, #2, 'auditor', 'Auditor', 'Looks', '{}', 'viewer', @1, @1);
INSERT INTO members (id, organization_id, name, fullname, nickname, member_type, state, role_binding, ttl_seconds, token_ttl_seconds, expires, failed_logons, last_logon, password_hash, created_at, updated_at) VALUES
    (#5, #2, 'ada@example.com', 'Ada', 'A', 'personal', 'enabled', '["root_administrator"]', NULL, 3600, NULL, 0, @9, '$argon2id$x', @1, @1),
    (#6, #2, 'robot', 'Robot', NULL, 'service', 'locked', '["auditor"]', 86400, 3600, @86400, 5, NULL, '$argon2id$y', @2, @2),
    (#7, #3, 'eve@example.com', 'Eve', NULL, 'personal', 'enabled', '["root_administrator"]', NULL, 3600, NULL, 0, NULL, NULL, @1, @1);
INSERT INTO accounts (id, organization_id, name, fullname, environment, labels, external_id, created_at, updated_at, deleted_at, deletion_id) VALUES
    (#10, #2, 'globex', 'Globex', 'prod', '["gold"]', 'globex', @3, @3, NULL, NULL),
    (#11, #2, 'initech', 'Initech', 'test', '[]', 't-7', @4, @4, NULL, NULL),
    (#12, #2, 'globex', 'Globex of before', 'prod', '[]', 'globex', @2, @2, @3, #90),
    (#13, #3, 'globex', 'Globex elsewhere', 'prod', '[]', 'globex', @3, @3, NULL, NULL);
INSERT INTO integration_points (id, organization_id, name, fullname, description, connector, environments, created_at, updated_at) VALUES
    (#15, #2, 'support', 'Support', 'Tickets', 'ticketing', '{"prod":["*"],"test":["ticketing_redmine"]}', @4, @4);
INSERT INTO integration_definitions (id, name, type, version, auth_type, docs_url, config_schema, credentials_schema, status, created_at, updated_at) VALUES
    (#16, 'ticketing_redmine', 'ticketing', '1', 'token', 'https://example.com', '{}', '{}', 'active', @0, @0),
    (#17, 'ticketing_redmine', 'ticketing', '0', 'token', 'https://example.com', '{}', '{}', 'deprecated', @0, @0);
INSERT INTO integration_instances (id, organization_id, account_id, integration_id, name, fullname, provider, connector, integration_point_id, status, status_cause, status_since, credentials, config, webhook_config, refresh_token_id, last_used_at, last_connected_at, created_at, updated_at, deleted_at, deletion_id) VALUES
    (#20, #2, #10, #16, 'redmine', 'Redmine', 'ticketing_redmine', 'ticketing', #15, 'active', NULL, @5, '{"v":1,"key_id":"k","ct":"b3du"}', '{"type":"ticketing_redmine","credential":{"type":"token_id","value":"own"}}', NULL, #61, @8, @9, @5, @5, NULL, NULL),
    (#21, #2, #10, #17, 'old', 'Old', 'ticketing_redmine', 'ticketing', NULL, 'needs_attention', 'credential_refused', @6, NULL, '{"type":"ticketing_redmine","credential":{"type":"token_id","value":"shared"}}', '{"items":[]}', #62, NULL, NULL, @6, @6, NULL, NULL),
    (#22, #2, #11, #16, 'redmine', 'Redmine too', 'ticketing_redmine', 'ticketing', #15, 'paused', NULL, @6, NULL, '{"type":"ticketing_redmine"}', NULL, #63, NULL, NULL, @6, @6, @7, #91),
    (#23, #3, #13, #16, 'redmine', 'Redmine elsewhere', 'ticketing_redmine', 'ticketing', NULL, 'active', NULL, @6, NULL, '{"type":"ticketing_redmine"}', NULL, #64, NULL, NULL, @6, @6, NULL, NULL);
INSERT INTO integration_counters (integration_id, organization_id, account_id, requests, failed, in_bytes, out_bytes, updated_at) VALUES (#20, #2, #10, 17, 2, 3000, 400, @8), (#21, #2, #10, 1, 1, 0, 0, @8);
INSERT INTO shared_credentials (id, organization_id, account_id, credentials, created_at, updated_at, deleted_at, deletion_id) VALUES
    (#30, #2, #10, '{"v":1,"key_id":"k","ct":"c2hhcmVk"}', @4, @4, NULL, NULL),
    (#31, #2, NULL, '{"v":1,"key_id":"k","ct":"cG9pbnQ="}', @4, @4, NULL, NULL),
    (#32, #2, NULL, '{"v":1,"key_id":"k","ct":"YXBw"}', @4, @4, NULL, NULL),
    (#33, #2, #10, '{"v":1,"key_id":"k","ct":"Z29uZQ=="}', @4, @4, @8, #92);
INSERT INTO provider_apps (id, organization_id, name, fullname, provider, issuer, client_id, client_secret, redirect_uris, scopes, created_at, updated_at) VALUES
    (#35, #2, 'okta', 'Okta', 'identity_openid', 'https://id.example.com', 'client', #32, '["https://a.example.com/back"]', '["openid"]', @4, @4);
INSERT INTO credentials (id, organization_id, owner_type, owner_id, account_id, integration_id, integration_point_id, name, fullname, kind, public_config, sealed_at, sealed_integration_id, shared_credential_id, provider_app_id, expires, managed, secret_set_at, created_at, updated_at, deleted_at, deletion_id) VALUES
    (#40, #2, 'integration', #20, #10, #20, NULL, 'token-1', 'token of redmine', 'token', '{}', 'integration', #20, NULL, NULL, NULL, 1, @5, @5, @5, NULL, NULL),
    (#41, #2, 'account', #10, #10, NULL, NULL, 'shared', 'Shared', 'token', '{}', 'shared', NULL, #30, NULL, @99999, 0, @4, @4, @4, NULL, NULL),
    (#42, #2, 'integration_point', #15, NULL, NULL, #15, 'of-point', 'Of the point', 'basic', '{"username":"u"}', 'shared', NULL, #31, NULL, NULL, 0, @4, @4, @4, NULL, NULL),
    (#43, #2, 'account', #10, #10, NULL, NULL, 'gone', 'Gone', 'token', '{}', 'shared', NULL, #33, NULL, NULL, 0, @4, @4, @4, @8, #92),
    (#44, #3, 'integration', #23, #13, #23, NULL, 'user-1', 'Elsewhere', 'o_auth_user', '{}', 'nowhere', NULL, NULL, NULL, NULL, 1, NULL, @6, @6, NULL, NULL),
    (#45, #2, 'integration', #21, #10, #21, NULL, 'user-2', 'By consent', 'o_auth_user', '{}', 'nowhere', NULL, NULL, #35, NULL, 1, NULL, @6, @6, NULL, NULL);
INSERT INTO integration_credential_references (integration_id, organization_id, credential_id) VALUES (#20, #2, #40), (#21, #2, #41);
INSERT INTO refresh_journal (credential_id, organization_id, account_id, intent_id, owner, lease_until, state, sealed_table, sealed_row, previous, created_at, updated_at) VALUES
    (#40, #2, #10, #70, 'process 7', @60, 'intent', 'integration_instances', #20, '{"v":1,"key_id":"k","ct":"b2xk"}', @7, @8),
    (#45, #2, #10, #71, 'process 8', @60, 'settled', NULL, NULL, NULL, @7, @8);
INSERT INTO token_containers (id, organization_id, owner_type, owner_id, account_id, integration_id, member_id, name, fullname, token_type, authority, access_ttl_seconds, refresh_ttl_seconds, expires, created_at, updated_at, deleted_at, deletion_id) VALUES
    (#60, #2, 'organization', #2, NULL, NULL, #5, 'initial', 'Initial', 'adhoc', '{"adhoc":{"resources":{},"permission_set":"administrator"}}', 86400, 7776000, @7776000, @0, @0, NULL, NULL),
    (#61, #2, 'integration', #20, #10, #20, #5, 'default', 'Default', 'default', '{"roles":[]}', 600, 7776000, @7776000, @5, @5, NULL, NULL),
    (#62, #2, 'integration', #21, #10, #21, #5, 'default', 'Default', 'default', '{"roles":[]}', 600, 7776000, @7776000, @6, @6, NULL, NULL),
    (#63, #2, 'integration', #22, #11, #22, #5, 'default', 'Default', 'default', '{"roles":[]}', 600, 7776000, @7776000, @6, @6, @7, #91),
    (#65, #2, 'organization', #2, NULL, NULL, #5, 'logon', 'Logon', 'logon', '{"roles":["root_administrator"]}', 3600, 86400, @86400, @9, @9, NULL, NULL);
INSERT INTO token_secrets (hash, organization_id, container_id, kind, slot, expires) VALUES
    (x'00', #2, #60, 'organization_access', 'primary', @86400), (x'01', #2, #60, 'refresh', 'primary', @7776000), (x'02', #2, #60, 'refresh', 'secondary', @7776000), (x'03', #2, #61, 'integration_access', 'primary', @600);
INSERT INTO connect_sessions (id, organization_id, account_id, integration_id, provider_app_id, member_id, route, redirect_uri, issuer, scopes, state, failure_code, message, state_hash, verifier, expires, created_at, updated_at) VALUES
    (#75, #2, #10, #21, #35, #5, 'link', 'https://a.example.com/back', NULL, '["openid"]', 'begun', NULL, NULL, x'10', '{"v":1,"key_id":"k","ct":"dg=="}', @900, @8, @8),
    (#76, #2, #10, #21, NULL, #5, 'window', 'http://127.0.0.1/back', NULL, '[]', 'failed', 'consent_denied', 'No.', x'11', NULL, @900, @7, @8);
INSERT INTO web_sessions (id, hash, organization_id, member_id, token_id, authority, user_agent, expires, last_seen_at, created_at) VALUES (#77, x'20', #2, #5, #65, '{"roles":["root_administrator"]}', 'a browser', @86400, @9, @9);
INSERT INTO one_time_links (hash, organization_id, member_id, purpose, expires, used_at, created_at) VALUES (x'30', #2, #6, 'invitation', @86400, NULL, @2), (x'31', #2, #5, 'setup', @86400, @1, @0);
INSERT INTO audit_events (id, organization_id, created_at, origin, audit_type, operation, method, path, status, code, remote_addr, user_agent, member_id, account_id, integration_id, body, response) VALUES
    (#80, #2, @5, 'api', 'API', 'integrations.create', 'POST', '/v1/integrations/globex', 201, 'ok', '192.0.2.7', 'sdk', #5, #10, #20, '{"name":"redmine"}', '{"id":"x"}'),
    (#81, #2, @6, 'api', 'ERROR', 'accounts.get', 'GET', '/v1/accounts/x', 404, 'not_found', '192.0.2.7', 'sdk', #5, NULL, NULL, NULL, '{"message":"none"}');
INSERT INTO changes (sequence, organization_id, account_id, kind, object_id, origin) VALUES (41, #2, #10, 'account', 'x', 'api'), (42, #2, #10, 'integration', 'y', 'web');
INSERT INTO deletions (id, organization_id, account_id, kind, object_id, deleted_at) VALUES (#90, #2, #12, 'account', #12, @3), (#91, #2, #11, 'integration', #22, @7), (#92, #2, #10, 'credential', #43, @8);
INSERT INTO local_documents (integration_id, organization_id, account_id, collection, document_id, position, body) VALUES (#20, #2, #10, 'tickets', '1', 1, '{"name":"one"}'), (#20, #2, #10, 'tickets', '2', 2, '{"name":"two"}');
INSERT INTO local_document_numbers (integration_id, organization_id, account_id, collection, last_number) VALUES (#20, #2, #10, 'tickets', 2);
