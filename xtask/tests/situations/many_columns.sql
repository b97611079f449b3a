-- as many columns as there is room for: none of the transactions may need more locks than the server has
do $$ begin
  execute (select 'alter table code_files ' || string_agg(format('add w%s integer', i), ', ') from generate_series(1, 1400) i);
end $$;
-- expect: round trip
