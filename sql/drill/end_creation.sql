-- Ends the sessions of this role that run a statement which begins with $1.
select pg_catalog.pg_terminate_backend(a.pid)
from pg_catalog.pg_stat_activity a
where a.state = 'active'
  and a.usename = current_user
  and a.pid <> pg_catalog.pg_backend_pid()
  and pg_catalog.starts_with(a.query, $1)
