//! Flags that are going away: deprecated, obsolete, renamed. The table is JDK 17's.

/// What became of a flag.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fate {
    /// Works, with a warning that names the release.
    Deprecated(&'static str),
    /// Accepted and ignored, with a warning that names the release; or, where HotSpot still has
    /// the flag, processed with a warning.
    Obsolete(&'static str),
}

const FATES: &[(&str, Fate)] = &[
    ("MaxGCMinorPauseMillis", Fate::Deprecated("8.0")),
    ("MaxRAMFraction", Fate::Deprecated("10.0")),
    ("MinRAMFraction", Fate::Deprecated("10.0")),
    ("InitialRAMFraction", Fate::Deprecated("10.0")),
    ("AllowRedefinitionToAddDeleteMethods", Fate::Deprecated("13.0")),
    ("FlightRecorder", Fate::Deprecated("13.0")),
    ("CriticalJNINatives", Fate::Deprecated("16.0")),
    ("AlwaysLockClassLoader", Fate::Deprecated("17.0")),
    ("UseBiasedLocking", Fate::Deprecated("15.0")),
    ("BiasedLockingStartupDelay", Fate::Deprecated("15.0")),
    ("PrintBiasedLockingStatistics", Fate::Deprecated("15.0")),
    ("BiasedLockingBulkRebiasThreshold", Fate::Deprecated("15.0")),
    ("BiasedLockingBulkRevokeThreshold", Fate::Deprecated("15.0")),
    ("BiasedLockingDecayTime", Fate::Deprecated("15.0")),
    ("UseOptoBiasInlining", Fate::Deprecated("15.0")),
    ("PrintPreciseBiasedLockingStatistics", Fate::Deprecated("15.0")),
    ("DefaultMaxRAMFraction", Fate::Deprecated("8.0")),
    ("CreateMinidumpOnCrash", Fate::Deprecated("9.0")),
    ("TLABStats", Fate::Deprecated("12.0")),
    ("SuspendRetryCount", Fate::Obsolete("17.0")),
    ("SuspendRetryDelay", Fate::Obsolete("17.0")),
    ("AssertOnSuspendWaitFailure", Fate::Obsolete("17.0")),
    ("TraceSuspendWaitFailures", Fate::Obsolete("17.0")),
];

const ALIASES: &[(&str, &str)] = &[
    ("DefaultMaxRAMFraction", "MaxRAMFraction"),
    ("CreateMinidumpOnCrash", "CreateCoredumpOnCrash"),
];

/// What became of the flag `name`, if anything did.
pub(super) fn fate(name: &str) -> Option<Fate> {
    FATES.iter().find(|(flag, _)| *flag == name).map(|(_, fate)| *fate)
}

/// The present name of a flag that was renamed, `name` itself otherwise.
pub(super) fn real_name(name: &str) -> &str {
    ALIASES.iter().find(|(alias, _)| *alias == name).map_or(name, |(_, real)| real)
}
