-- Which of our sessions the server has not ended yet.
select activity.pid as process_id
from pg_catalog.pg_stat_activity as activity
where activity.pid = any ($1::pg_catalog.int4[])
    and activity.application_name = $2
