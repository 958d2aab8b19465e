#include "common/endpoint_check.h"

#include <gtest/gtest.h>

namespace capstan {
namespace {

TEST(EndpointCheck, PortsOfThoseWhoListenMayBeAny) {
  EXPECT_TRUE(check_endpoint("tcp://host:7000", false).ok());
  EXPECT_TRUE(check_endpoint("tcp://host:0", true).ok());
  EXPECT_FALSE(check_endpoint("tcp://host:0", false).ok());
  for (const char* bad :
       {"host:1", "tcp://:1", "tcp://host", "tcp://host:65536", "tcp://host:-1", "udp://host:1"}) {
    EXPECT_FALSE(check_endpoint(bad, true).ok()) << bad;
  }
}

TEST(EndpointCheck, AnAdvertisedPortOfZeroIsTheBoundOne) {
  EXPECT_EQ(with_port_of("tcp://outside:0", "tcp://0.0.0.0:4711"), "tcp://outside:4711");
  EXPECT_EQ(with_port_of("tcp://outside:80", "tcp://0.0.0.0:4711"), "tcp://outside:80");
}

}  // namespace
}  // namespace capstan
