import Datasets
import Support

/// An option's whole number, by the rules that study files have too. Help does not show the defaults of options that
/// are read by a function, so each names its own.
@Sendable func wholeNumber(_ text: String) throws -> Int { try DecimalNumber.whole(text, in: Int.min...Int.max) }

/// An option's seed.
@Sendable func seedNumber(_ text: String) throws -> UInt64 { try DecimalNumber.whole(text, in: 0...UInt64.max) }

/// An option's number.
@Sendable func realNumber(_ text: String) throws -> Double { try DecimalNumber.real(text) }
