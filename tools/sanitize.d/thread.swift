// A counter that two threads raise without a lock, beside one that a mutex guards, for the thread sanitizer to find the
// first in spite of its suppressions.
import Dispatch
import Synchronization

final class Counter: @unchecked Sendable {
    var bare = 0
    let guarded = Mutex(0)
}

let counter = Counter()
DispatchQueue.concurrentPerform(iterations: 64) { _ in
    for _ in 0..<1000 {
        counter.guarded.withLock { $0 += 1 }
        counter.bare += 1
    }
}
print(counter.bare, counter.guarded.withLock { $0 })
