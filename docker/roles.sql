-- The roles of Bottega in a PostgreSQL that others run: the owner migrates, the server cannot change the schema.
-- Passwords come from the environment of the container that runs this once (docker/compose.yaml).
\getenv owner_password BOTTEGA_OWNER_PASSWORD
\getenv app_password BOTTEGA_APP_PASSWORD
\getenv sandbox_password BOTTEGA_SANDBOX_PASSWORD
CREATE ROLE bottega_owner LOGIN PASSWORD :'owner_password';
CREATE ROLE bottega_app LOGIN PASSWORD :'app_password';
CREATE ROLE bottega_sandbox LOGIN PASSWORD :'sandbox_password';
CREATE DATABASE bottega OWNER bottega_owner;
