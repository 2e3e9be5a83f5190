// A read beyond the end of an array through a pointer, for the address sanitizer to find.
let count = CommandLine.arguments.count + 7
let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: count)
memory.initialize(repeating: 1, count: count)
print(memory[count])
memory.deallocate()
