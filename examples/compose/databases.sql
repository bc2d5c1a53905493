-- Read once, when PostgreSQL makes its folder: one database for Baton, one for Prefect.
CREATE DATABASE baton;
CREATE DATABASE prefect;
\connect prefect
CREATE EXTENSION IF NOT EXISTS pg_trgm;
