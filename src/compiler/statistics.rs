//! What the compilers have done: the totals of `-XX:+CITime`, in HotSpot's layout, and of the management interface.

use super::pipeline::Phases;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Counters that many threads add to.
#[derive(Default)]
struct Count(AtomicU64);

impl Count {
    fn add(&self, n: u64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// As nanoseconds.
    fn seconds(&self) -> f64 {
        self.get() as f64 / 1e9
    }
}

fn nanos(d: Duration) -> u64 {
    u64::try_from(d.as_nanos()).unwrap_or(u64::MAX)
}

/// Compiles of one kind.
#[derive(Default)]
struct Compiles {
    nanos: Count,
    /// Of bytecode, inlined methods included.
    bytes: Count,
    methods: Count,
}

impl Compiles {
    fn add(&self, time: Duration, bytes: usize) {
        self.nanos.add(nanos(time));
        self.bytes.add(bytes as u64);
        self.methods.add(1);
    }
}

/// Installed code of one tier.
#[derive(Default)]
struct Tier {
    standard: Compiles,
    osr: Compiles,
    /// Code with what describes it, and code alone.
    size: Count,
    code_size: Count,
}

/// Compiles that came to nothing.
#[derive(Default)]
struct Failures {
    nanos: Count,
    count: Count,
}

/// Time that one pipeline has spent where.
#[derive(Default)]
struct PhaseTimes {
    all: Count,
    build: Count,
    passes: Count,
    code: Count,
}

/// See the module comment.
#[derive(Default)]
pub struct Statistics {
    tiers: [Tier; 4],
    refused: Failures,
    invalidated: Failures,
    /// Quick, optimized.
    pipelines: [PhaseTimes; 2],
}

/// A method that has been installed.
pub struct Installed {
    pub osr: bool,
    /// Bytecodes, those of inlined methods included.
    pub bytecodes: usize,
    pub code_bytes: usize,
    pub metadata_bytes: usize,
}

impl Statistics {
    pub fn installed(&self, tier: u8, time: Duration, c: &Installed) {
        let t = &self.tiers[usize::from(tier.clamp(1, 4)) - 1];
        let kind = if c.osr { &t.osr } else { &t.standard };
        kind.add(time, c.bytecodes);
        t.code_size.add(c.code_bytes as u64);
        t.size.add((c.code_bytes + c.metadata_bytes) as u64);
    }

    /// The compiler refused.
    pub fn refused(&self, time: Duration) {
        self.refused.nanos.add(nanos(time));
        self.refused.count.add(1);
    }

    /// The code was not installed: no room, or an assumption did not hold any more.
    pub fn invalidated(&self, time: Duration) {
        self.invalidated.nanos.add(nanos(time));
        self.invalidated.count.add(1);
    }

    /// A compile, however it ended, has taken this long.
    pub fn time(&self, tier: u8, whole: Duration, phases: &Phases) {
        let p = &self.pipelines[usize::from(tier == 4)];
        p.all.add(nanos(whole));
        p.build.add(nanos(phases.build));
        p.passes.add(nanos(phases.passes));
        p.code.add(nanos(phases.code));
    }

    /// Time spent compiling, of all compiler threads together.
    pub fn total_time(&self) -> Duration {
        Duration::from_nanos(self.pipelines.iter().map(|p| p.all.get()).sum())
    }

    /// Methods and on-stack replacements installed.
    pub fn installed_count(&self) -> u64 {
        self.tiers.iter().map(|t| t.standard.methods.get() + t.osr.methods.get()).sum()
    }

    /// What `-XX:+CITime` prints when the VM ends.
    pub fn report(&self) -> String {
        let mut s = String::new();
        // Writing to a string does not fail.
        let _ = self.write_report(&mut s);
        s
    }

    fn write_report(&self, s: &mut String) -> std::fmt::Result {
        let rule = "------------------------------------------------";
        writeln!(s, "\nIndividual compiler times (for compiled methods only)\n{rule}\n")?;
        times(s, "C1", &self.tiers[..3])?;
        times(s, "C2", &self.tiers[3..])?;
        writeln!(s, "\nIndividual compilation Tier times (for compiled methods only)\n{rule}\n")?;
        for (i, t) in self.tiers.iter().enumerate() {
            times(s, &format!("Tier{}", i + 1), std::slice::from_ref(t))?;
        }
        let all = Sum::of(&self.tiers);
        let total = self.total_time().as_secs_f64();
        writeln!(s, "\nAccumulated compiler times\n----------------------------------------------------------")?;
        writeln!(s, "  Total compilation time   : {total:7.3} s")?;
        let (refused, invalidated) = (&self.refused, &self.invalidated);
        for (name, seconds, n) in [
            ("Standard compilation", all.standard.0, all.standard.2),
            ("Bailed out compilation", refused.nanos.seconds(), refused.count.get()),
            ("On stack replacement", all.osr.0, all.osr.2),
            ("Invalidated", invalidated.nanos.seconds(), invalidated.count.get()),
        ] {
            let average = if n == 0 { 0.0 } else { seconds / n as f64 };
            writeln!(s, "    {name:<23}: {seconds:7.3} s, Average : {average:2.3} s")?;
        }
        for (name, p) in ["C1", "C2"].iter().zip(&self.pipelines) {
            let (whole, build, passes, code) =
                (p.all.seconds(), p.build.seconds(), p.passes.seconds(), p.code.seconds());
            writeln!(s, "\n    {name} Compile Time:      {whole:7.3} s")?;
            writeln!(s, "       Build IR:            {build:7.3} s")?;
            writeln!(s, "       Passes:              {passes:7.3} s")?;
            writeln!(s, "       Code:                {code:7.3} s")?;
            writeln!(s, "       Other:               {:7.3} s", (whole - build - passes - code).max(0.0))?;
        }
        let bytes = all.standard.1 + all.osr.1;
        let methods = all.standard.2 + all.osr.2;
        writeln!(s, "\n  Total compiled methods    : {methods:8} methods")?;
        writeln!(s, "    Standard compilation    : {:8} methods", all.standard.2)?;
        writeln!(s, "    On stack replacement    : {:8} methods", all.osr.2)?;
        writeln!(s, "  Total compiled bytecodes  : {bytes:8} bytes")?;
        writeln!(s, "    Standard compilation    : {:8} bytes", all.standard.1)?;
        writeln!(s, "    On stack replacement    : {:8} bytes", all.osr.1)?;
        let speed = if total == 0.0 { 0 } else { (bytes as f64 / total) as u64 };
        writeln!(s, "  Average compilation speed : {speed:8} bytes/s\n")?;
        writeln!(s, "  nmethod code size         : {:8} bytes", all.code_size)?;
        writeln!(s, "  nmethod total size        : {:8} bytes", all.size)?;
        Ok(())
    }
}

/// (seconds, bytes, methods), and sizes, of several tiers.
struct Sum {
    standard: (f64, u64, u64),
    osr: (f64, u64, u64),
    size: u64,
    code_size: u64,
}

impl Sum {
    fn of(tiers: &[Tier]) -> Sum {
        let add = |of: fn(&Tier) -> &Compiles| {
            tiers.iter().map(of).fold((0.0, 0, 0), |(t, b, m), c| {
                (t + c.nanos.seconds(), b + c.bytes.get(), m + c.methods.get())
            })
        };
        Sum {
            standard: add(|t| &t.standard),
            osr: add(|t| &t.osr),
            size: tiers.iter().map(|t| t.size.get()).sum(),
            code_size: tiers.iter().map(|t| t.code_size.get()).sum(),
        }
    }
}

fn times(s: &mut String, name: &str, tiers: &[Tier]) -> std::fmt::Result {
    let sum = Sum::of(tiers);
    let (standard, osr) = (sum.standard, sum.osr);
    let seconds = standard.0 + osr.0;
    let speed = if seconds == 0.0 { 0.0 } else { (standard.1 + osr.1) as f64 / seconds };
    writeln!(
        s,
        "  {name} {{speed: {speed:6.3} bytes/s; standard: {:6.3} s, {} bytes, {} methods; osr: {:6.3} s, {} bytes, \
         {} methods; nmethods_size: {} bytes; nmethods_code_size: {} bytes}}",
        standard.0, standard.1, standard.2, osr.0, osr.1, osr.2, sum.size, sum.code_size
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_report_has_hotspots_lines() {
        let s = Statistics::default();
        let ms = Duration::from_millis;
        let installed = |osr| Installed { osr, bytecodes: 100, code_bytes: 300, metadata_bytes: 50 };
        s.installed(3, ms(10), &installed(false));
        s.installed(4, ms(30), &installed(false));
        s.installed(4, ms(50), &installed(true));
        s.refused(ms(2));
        s.time(3, ms(10), &Phases::default());
        s.time(4, ms(90), &Phases { build: ms(20), passes: ms(30), code: ms(35) });
        let text = s.report();
        let lines: Vec<&str> = text.lines().collect();
        for wanted in [
            "  C1 {speed: 10000.000 bytes/s; standard:  0.010 s, 100 bytes, 1 methods; osr:  0.000 s, 0 bytes, \
             0 methods; nmethods_size: 350 bytes; nmethods_code_size: 300 bytes}",
            "  Tier4 {speed: 2500.000 bytes/s; standard:  0.030 s, 100 bytes, 1 methods; osr:  0.050 s, 100 bytes, \
             1 methods; nmethods_size: 700 bytes; nmethods_code_size: 600 bytes}",
            "  Total compilation time   :   0.100 s",
            "    Standard compilation   :   0.040 s, Average : 0.020 s",
            "    Bailed out compilation :   0.002 s, Average : 0.002 s",
            "    On stack replacement   :   0.050 s, Average : 0.050 s",
            "    Invalidated            :   0.000 s, Average : 0.000 s",
            "  Total compiled methods    :        3 methods",
            "  Total compiled bytecodes  :      300 bytes",
            "  Average compilation speed :     3000 bytes/s",
            "  nmethod total size        :     1050 bytes",
        ] {
            assert!(lines.contains(&wanted), "{wanted}\nis not in\n{text}");
        }
        assert_eq!(s.total_time(), ms(100));
        assert_eq!(s.installed_count(), 3);
    }
}
