use jvm::threads::JavaThread;
use jvm::meta::{loader, symbol::Symbol};
fn main() {
    let _ = jvm::vm::startup::create(vec!["-Xbootclasspath/a:/tmp/ik/out".into()], false);
    let t = JavaThread::current().expect("attached");
    t.take_exception();
    let c = match jvm::link::load::load_class(t, loader::boot(), Symbol::of("Kernels")) { Ok(c) => c, Err(_) => { println!("load failed: {:?}", t.take_exception().class()); return } };
    if jvm::link::init::initialize(t, c).is_err() { println!("init failed {:?}", t.take_exception().class()); return }
    let m = c.find_declared(Symbol::of("run"), Symbol::of("(I)I")).unwrap();
    let names = ["fib","loop","sieve","matmul","fields","virt","iface","alloc","longs","sw","exc","sync","str","floats","sort","cast"];
    let only: Option<usize> = std::env::args().nth(1).and_then(|s| s.parse().ok());
    for r in 0..2 { for (i, n) in names.iter().enumerate() {
        if only.is_some_and(|o| o != i) { continue; }
        let s = std::time::Instant::now();
        match jvm::interpreter::call::call(t, m, &[i as u64]) {
            Ok(v) => if r == 1 { println!("{:8} {:12} {:8.1} ms", n, v as i32, s.elapsed().as_secs_f64()*1e3) },
            Err(_) => { let e = t.take_exception(); println!("{n} threw {:?}", e.class()); for (m,b) in jvm::exceptions::backtrace::recorded(e) { println!("  at {m:?} {b}"); } }
        }
    } }
    std::process::exit(0);
}
