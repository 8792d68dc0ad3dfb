//! What is inlined: HotSpot's limits, names and texts, every decision with its reason.

use crate::meta::method::{method_flags, MethodKind, MethodRef};
use crate::options::flags::Flags as VmFlags;
use crate::meta::well_known::Known;
use std::fmt;

/// HotSpot's flags of these names.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Limits {
    pub max_inline_size: usize,
    pub freq_inline_size: usize,
    pub max_trivial_size: usize,
    pub max_inline_level: usize,
    pub max_recursive_inline_level: usize,
    /// Calls of the site an invocation of the caller from which it is hot (InlineFrequencyRatio).
    pub frequency_ratio: f64,
    /// Bytecodes of all methods inlined (DesiredMethodLimit).
    pub desired_method_limit: usize,
    /// Nodes of the function from which nothing more is inlined (NodeCountInliningCutoff).
    pub node_count: usize,
    /// Bytes of a method's own optimized code from which it is called rather than inlined (InlineSmallCode); a
    /// quarter of that where the call is not hot.
    pub small_code: usize,
    /// Those of the quick pipeline.
    pub quick: bool,
}

impl Limits {
    /// Tier 4.
    pub const OPTIMIZED: Limits = Limits {
        max_inline_size: 35,
        freq_inline_size: 325,
        max_trivial_size: 6,
        max_inline_level: 15,
        max_recursive_inline_level: 1,
        frequency_ratio: 0.25,
        desired_method_limit: 8000,
        node_count: 18_000,
        small_code: 2500,
        quick: false,
    };
    /// The tiers below: accessors and the like.
    pub const QUICK: Limits = Limits {
        max_inline_size: 6,
        freq_inline_size: 6,
        max_inline_level: 9,
        quick: true,
        ..Limits::OPTIMIZED
    };

    /// The same where the flags of these names do not say otherwise.
    pub fn with_flags(self, flags: &VmFlags) -> Limits {
        let given = |name: &str, limit: usize| match flags.is_default(name) {
            true => limit,
            false => usize::try_from(flags.signed(name)).unwrap_or(0),
        };
        Limits {
            max_inline_size: given("MaxInlineSize", self.max_inline_size),
            freq_inline_size: given("FreqInlineSize", self.freq_inline_size),
            max_trivial_size: given("MaxTrivialSize", self.max_trivial_size),
            max_inline_level: given("MaxInlineLevel", self.max_inline_level),
            max_recursive_inline_level: given("MaxRecursiveInlineLevel", self.max_recursive_inline_level),
            node_count: given("LiveNodeCountInliningCutoff", self.node_count),
            small_code: given("InlineSmallCode", self.small_code),
            ..self
        }
    }
}

/// Why a call was inlined.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Why {
    Forced,
    /// `-XX:CompileCommand=inline`.
    Command,
    /// Gets or sets a field (tier 4).
    Accessor,
    /// Not a call at all.
    Intrinsic,
    /// Anything else in tier 4, however hot it is: HotSpot's word.
    Hot,
    /// Anything else in the tiers below.
    Small,
}

/// Why it was not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WhyNot {
    Abstract,
    Native,
    /// An overpass that throws, or a method-handle intrinsic.
    NoCode,
    DontInline,
    /// `-XX:CompileCommand=dontinline`.
    Command,
    NotReached,
    TooBig { size: usize, limit: usize },
    HotTooBig { size: usize, limit: usize },
    TooDeep { level: usize, limit: usize },
    Recursive { level: usize, limit: usize },
    DesiredMethodLimit { size: usize, limit: usize },
    NodeCount { nodes: usize, limit: usize },
    CompiledBig { size: usize, limit: usize },
    CompiledMedium { size: usize, limit: usize },
    /// It makes or belongs to an exception, and the method compiled does not.
    Exception,
    /// Not one target: neither the class hierarchy nor the profile gives one.
    Virtual,
    /// The method cannot be compiled.
    NotCompilable,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Why::Forced => "force inline by annotation",
            Why::Command => "force inline by CompileCommand",
            Why::Accessor => "accessor",
            Why::Intrinsic => "(intrinsic)",
            Why::Hot => "inline (hot)",
            Why::Small => "inline",
        })
    }
}

impl fmt::Display for WhyNot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WhyNot::Abstract => write!(f, "abstract method"),
            WhyNot::Native => write!(f, "native method"),
            WhyNot::NoCode => write!(f, "not inlineable"),
            WhyNot::DontInline => write!(f, "don't inline by annotation"),
            WhyNot::Command => write!(f, "disallowed by CompileCommand"),
            WhyNot::NotReached => write!(f, "call site not reached"),
            WhyNot::TooBig { size, limit } => write!(f, "too big ({size} > {limit})"),
            WhyNot::HotTooBig { size, limit } => write!(f, "hot method too big ({size} > {limit})"),
            WhyNot::TooDeep { level, limit } => write!(f, "inlining too deep ({level} > {limit})"),
            WhyNot::Recursive { level, limit } => write!(f, "recursive inlining is too deep ({level} > {limit})"),
            WhyNot::DesiredMethodLimit { size, limit } => write!(f, "size > DesiredMethodLimit ({size} > {limit})"),
            WhyNot::NodeCount { nodes, limit } => write!(f, "NodeCountInliningCutoff ({nodes} > {limit})"),
            WhyNot::CompiledBig { size, limit } => write!(f, "already compiled into a big method ({size} > {limit})"),
            WhyNot::CompiledMedium { size, limit } => {
                write!(f, "already compiled into a medium method ({size} > {limit})")
            }
            WhyNot::Exception => write!(f, "exception method"),
            WhyNot::Virtual => write!(f, "virtual call"),
            WhyNot::NotCompilable => write!(f, "not compilable (disabled)"),
        }
    }
}

/// A call site as the decision sees it.
#[derive(Clone, Copy, Debug)]
pub struct Site {
    /// Methods around the callee, the compiled one included.
    pub level: usize,
    /// ... that are the callee itself.
    pub recursion: usize,
    /// Times the site was reached and the caller was invoked, if there is a profile of some age.
    pub counts: Option<(u32, u32)>,
    /// Bytecodes inlined so far.
    pub inlined_size: usize,
    /// Bytes of the callee's own tier-4 code, if it has any.
    pub compiled_size: Option<usize>,
    pub nodes: usize,
}

/// What the user said about a method.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ordered {
    Inline,
    DontInline,
}

/// Whether `callee` is inlined at `site` of a compile of `root`.
pub fn decide(
    callee: MethodRef,
    root: MethodRef,
    site: &Site,
    limits: &Limits,
    ordered: Option<Ordered>,
) -> Result<Why, WhyNot> {
    match callee.kind() {
        MethodKind::Java => {}
        MethodKind::Native => return Err(WhyNot::Native),
        MethodKind::Abstract => return Err(WhyNot::Abstract),
        _ => return Err(WhyNot::NoCode),
    }
    if callee.code.is_empty() || !callee.class().is_linked() {
        return Err(WhyNot::NoCode);
    }
    let throwable = |m: MethodRef| Known::Throwable.try_get().is_some_and(|t| m.class().is_subclass_of(t));
    let flags = Traits {
        force: callee.has_flag(method_flags::FORCE_INLINE),
        dont: callee.has_flag(method_flags::DONT_INLINE),
        candidate: callee.has_flag(method_flags::INTRINSIC_CANDIDATE),
        exception: site.level > 1 && throwable(callee) && !throwable(root),
    };
    let why = decide_by_size(callee.code.len(), flags, site, limits, ordered)?;
    Ok(match why {
        Why::Hot if limits.quick => Why::Small,
        Why::Hot if is_accessor(callee) => Why::Accessor,
        why => why,
    })
}

/// Its code is `return this.field` or `this.field = argument`, which is what HotSpot calls an accessor.
fn is_accessor(m: MethodRef) -> bool {
    const ALOAD_0: u8 = 0x2a;
    const GETFIELD: u8 = 0xb4;
    const PUTFIELD: u8 = 0xb5;
    const RETURN: u8 = 0xb1;
    // xload_1, and xreturn with a value.
    let (load_1, value_return) = ([0x1b, 0x1f, 0x23, 0x27, 0x2b], 0xac..=0xb0);
    match *m.code {
        [ALOAD_0, GETFIELD, _, _, r] => value_return.contains(&r),
        [ALOAD_0, load, PUTFIELD, _, _, RETURN] => load_1.contains(&load),
        _ => false,
    }
}

struct Traits {
    force: bool,
    dont: bool,
    exception: bool,
    /// One of the class library's methods that a compiler is expected to know (`@IntrinsicCandidate`): worth its
    /// bytecodes wherever it is called.
    candidate: bool,
}

fn decide_by_size(
    size: usize,
    flags: Traits,
    site: &Site,
    limits: &Limits,
    ordered: Option<Ordered>,
) -> Result<Why, WhyNot> {
    if ordered == Some(Ordered::DontInline) {
        return Err(WhyNot::Command);
    }
    if flags.dont {
        return Err(WhyNot::DontInline);
    }
    let forced = flags.force || ordered == Some(Ordered::Inline);
    // Lambda forms are all forced and nest deeply.
    let (level, limit) = (site.level, if forced { 4 * limits.max_inline_level } else { limits.max_inline_level });
    if level > limit {
        return Err(WhyNot::TooDeep { level, limit });
    }
    let (level, limit) = (site.recursion, limits.max_recursive_inline_level);
    if level > limit {
        return Err(WhyNot::Recursive { level, limit });
    }
    let (nodes, limit) = (site.nodes, limits.node_count * if forced { 2 } else { 1 });
    if nodes > limit {
        return Err(WhyNot::NodeCount { nodes, limit });
    }
    if ordered == Some(Ordered::Inline) {
        return Ok(Why::Command);
    }
    if flags.force {
        return Ok(Why::Forced);
    }
    let compiled = site.compiled_size.unwrap_or(0);
    if compiled > limits.small_code {
        return Err(WhyNot::CompiledBig { size: compiled, limit: limits.small_code });
    }
    if flags.exception {
        return Err(WhyNot::Exception);
    }
    if size <= limits.max_trivial_size {
        return Ok(Why::Hot);
    }
    if matches!(site.counts, Some((0, _))) {
        return Err(WhyNot::NotReached);
    }
    let all = site.inlined_size + size;
    if all > limits.desired_method_limit {
        return Err(WhyNot::DesiredMethodLimit { size: all, limit: limits.desired_method_limit });
    }
    let hot = flags.candidate
        || site
            .counts
            .is_some_and(|(reached, invoked)| f64::from(reached) >= limits.frequency_ratio * f64::from(invoked.max(1)));
    if hot {
        let limit = limits.freq_inline_size;
        if size > limit { Err(WhyNot::HotTooBig { size, limit }) } else { Ok(Why::Hot) }
    } else {
        let limit = limits.small_code / 4;
        if compiled > limit {
            return Err(WhyNot::CompiledMedium { size: compiled, limit });
        }
        let limit = limits.max_inline_size;
        if size > limit { Err(WhyNot::TooBig { size, limit }) } else { Ok(Why::Hot) }
    }
}

/// One line of `-XX:+PrintInlining`.
#[derive(Clone, PartialEq, Debug)]
pub struct Decision {
    /// Methods around the caller.
    pub depth: usize,
    pub bci: u16,
    pub callee: MethodRef,
    pub verdict: Result<Why, WhyNot>,
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let m = self.callee;
        let name = format!("{}::{}", m.class().external_name(), m.name);
        write!(f, "{:width$}@ {}   {name} ({} bytes)   ", "", self.bci, m.code.len(), width = 2 * self.depth)?;
        match &self.verdict {
            Ok(why) => write!(f, "{why}"),
            Err(why) => write!(f, "{why}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size(size: usize, site: Site) -> Result<Why, WhyNot> {
        let traits = Traits { force: false, dont: false, exception: false, candidate: false };
        decide_by_size(size, traits, &site, &Limits::OPTIMIZED, None)
    }

    #[test]
    fn hotspots_limits() {
        let site =
            Site { level: 1, recursion: 0, counts: None, inlined_size: 0, compiled_size: None, nodes: 0 };
        assert_eq!(size(35, site), Ok(Why::Hot));
        assert_eq!(size(36, site), Err(WhyNot::TooBig { size: 36, limit: 35 }));
        let hot = Site { counts: Some((100, 400)), ..site };
        assert_eq!(size(325, hot), Ok(Why::Hot));
        assert_eq!(size(326, hot), Err(WhyNot::HotTooBig { size: 326, limit: 325 }));
        assert_eq!(size(36, Site { counts: Some((99, 400)), ..site }), Err(WhyNot::TooBig { size: 36, limit: 35 }));
        let cold = Site { counts: Some((0, 400)), ..site };
        assert_eq!(size(6, cold), Ok(Why::Hot));
        assert_eq!(size(7, cold), Err(WhyNot::NotReached));
        assert_eq!(size(5, Site { level: 16, ..site }), Err(WhyNot::TooDeep { level: 16, limit: 15 }));
        assert_eq!(size(5, Site { recursion: 2, ..site }), Err(WhyNot::Recursive { level: 2, limit: 1 }));
        let medium = Site { compiled_size: Some(626), ..site };
        assert_eq!(size(35, medium), Err(WhyNot::CompiledMedium { size: 626, limit: 625 }));
        assert_eq!(size(35, Site { counts: Some((100, 400)), ..medium }), Ok(Why::Hot));
        let big = Site { compiled_size: Some(2501), ..hot };
        assert_eq!(size(35, big), Err(WhyNot::CompiledBig { size: 2501, limit: 2500 }));
        assert_eq!(WhyNot::TooBig { size: 36, limit: 35 }.to_string(), "too big (36 > 35)");
    }

    #[test]
    fn orders_and_annotations_come_first() {
        let site = Site {
            level: 1,
            recursion: 0,
            counts: Some((0, 9)),
            inlined_size: 0,
            compiled_size: Some(9999),
            nodes: 0,
        };
        let d = |force, dont, ordered| {
            let traits = Traits { force, dont, exception: true, candidate: false };
            decide_by_size(999, traits, &site, &Limits::OPTIMIZED, ordered)
        };
        assert_eq!(d(true, false, None), Ok(Why::Forced));
        assert_eq!(d(false, true, None), Err(WhyNot::DontInline));
        assert_eq!(d(true, false, Some(Ordered::DontInline)), Err(WhyNot::Command));
        assert_eq!(d(false, false, Some(Ordered::Inline)), Ok(Why::Command));
    }
}
