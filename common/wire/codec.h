// Messages to frames and back. The only place that knows Cap'n Proto.
#pragma once

#include <cstdint>

#include "common/message.h"
#include "common/result.h"
#include "common/transport.h"

namespace capstan {

struct Decoded {
  Message message;
  std::uint64_t request_id = 0;  // an answer carries its request's; 0: no answer expected
};

// Frame 0 is the header; bulk buffers follow as they are, without a copy.
Frames encode(const Message& message, std::uint64_t request_id = 0);

// Takes any bytes from any peer. Refusals are kCorrupt with one of a fixed set of reasons as the message, fit
// for a counter: "no header", "header too large", "malformed header", "unknown message", "frame count",
// "frame size", "key count", "value out of range". Bulk buffers of the result share the frames' memory,
// unless a frame is not aligned for its values.
Result<Decoded> decode(const Frames& frames);

}  // namespace capstan
