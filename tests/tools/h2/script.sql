-- Tables, indices, constraints, joins, windows, recursion, views, triggers of the engine's own, and errors.
create table person(id identity primary key, name varchar(40) not null unique, born date, note clob);
create table payment(id int primary key, person_id bigint references person(id) on delete cascade,
  amount decimal(12, 2) check (amount <> 0), paid timestamp(3), tags varchar(20) array, kind enum('cash', 'card'));
create index payment_by_person on payment(person_id, amount desc);
insert into person(name, born, note) values ('Ada', '1815-12-10', 'first'), ('Blaise', '1623-06-19', null), ('Charles', '1791-12-26', repeat('long ', 400));
insert into payment select x, 1 + mod(x, 3), (mod(x * 7919, 1000) - 500.5), dateadd('HOUR', x, timestamp '2024-02-28 20:30:00.125'),
  array['t' || mod(x, 5), 'all'], casewhen(mod(x, 2) = 0, 'cash', 'card') from system_range(1, 1000);
select name, count(*) n, sum(amount) total, avg(amount) mean, min(paid), max(paid) from person join payment on person.id = person_id group by name order by name;
select name, length(note), year(born), formatdatetime(born, 'EEEE, d. MMMM yyyy', 'en') from person order by born desc;
select id, amount, rank() over (partition by person_id order by amount) r, sum(amount) over (order by id rows between 2 preceding and current row) s
  from payment where id <= 12 order by id;
with recursive fib(n, a, b) as (select 1, cast(0 as bigint), cast(1 as bigint) union all select n + 1, b, a + b from fib where n < 50) select n, a from fib where n > 45;
select p.name, q.kind, q.c from person p left join (select person_id, kind, count(*) c from payment where amount > 450 group by person_id, kind) q on p.id = q.person_id order by 1, 2;
create view rich as select name from person where exists (select 1 from payment where person_id = person.id and amount > 499);
select * from rich order by name;
update payment set amount = amount * 2 where kind = 'cash' and id between 10 and 20;
delete from person where name = 'Blaise';
select count(*) from payment;
merge into person(name, born) key(name) values ('Ada', '1815-12-11'), ('Dorothea', '1900-01-01');
select name, born from person order by name;
select listagg(name, '; ') within group (order by name desc), array_agg(id order by id), json_array(1, 'a', null null on null) from person;
create alias reverse_it as $$ String reverse(String s) { return new StringBuilder(s).reverse().toString(); } $$;
select reverse_it(name), soundex(name), regexp_replace(name, '[aeiou]', '_'), hash('SHA-256', stringtoutf8(name)) from person order by id;
select cast(1 as decimal(40, 20)) / 3, power(2, 0.5), 7 / 2, mod(-7, 3), 1e308 * 1.5, cast('NaN' as double), interval '1-2' year to month, x'cafe';
explain select * from payment where person_id = 1 and amount > 3;
set autocommit false;
insert into person(name) values ('Rolled'), ('Back');
rollback;
select count(*) from person;
script nodata to 'schema.sql';
