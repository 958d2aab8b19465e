@0xd3a1b7c09f5e4a11;
using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("capstan::wire");

struct Hello {
  protocolVersion @0 :UInt32;
  jobId @1 :Text;
}
