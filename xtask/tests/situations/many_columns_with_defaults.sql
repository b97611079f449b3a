-- a default is an object of its own, and is locked when its table is dropped, in each leaf: the way back needs most of the locks
-- that the server has
do $$ begin
  execute (select 'alter table code_files ' || string_agg(format('add w%s integer default %s', i, i), ', ') from generate_series(1, 600) i);
end $$;
