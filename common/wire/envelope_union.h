// The envelope's union: every message to its wire form and back. Internal to the codec.
#pragma once

#include "common/message.h"
#include "common/result.h"
#include "common/wire/envelope.capnp.h"

namespace capstan {

void write_union(wire::Envelope::Builder to, const Message& message);
// Without the frames beside the header. kCorrupt for a kind that this version does not know.
Result<Message> read_union(wire::Envelope::Reader from);

}  // namespace capstan
