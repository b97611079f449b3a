SELECT db_service.store_answer(
    $1, $2, $3, $4::text::public.vector, $5, $6::interval, $7, $8, $9::double precision::numeric(12, 6), $10) AS id
