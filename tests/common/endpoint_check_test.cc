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

TEST(EndpointCheck, PagesHaveAPortThatThereIs) {
  for (const char* good : {"127.0.0.1:9100", "*:0", "host:65535"})
    EXPECT_TRUE(check_page_place(good).ok()) << good;
  for (const char* bad : {"127.0.0.1:99999", "127.0.0.1:65536", "127.0.0.1", ":9100", "host:", "host:http"})
    EXPECT_FALSE(check_page_place(bad).ok()) << bad;
}

TEST(EndpointCheck, EveryNodeHasAPortOfItsOwn) {
  EXPECT_TRUE(check_ports_from(65531, 5).ok());
  EXPECT_TRUE(check_ports_from(0, 5).ok()) << "the system chooses";
  EXPECT_EQ(check_ports_from(65532, 5).error().message,
            "port 65532 leaves 4 ports for 5 nodes: choose one below 65532");
  EXPECT_EQ(check_ports_from(65535, 2).error().message,
            "port 65535 leaves 1 port for 2 nodes: choose one below 65535");
}

TEST(EndpointCheck, AnAdvertisedPortOfZeroIsTheBoundOne) {
  EXPECT_EQ(with_port_of("tcp://outside:0", "tcp://0.0.0.0:4711"), "tcp://outside:4711");
  EXPECT_EQ(with_port_of("tcp://outside:80", "tcp://0.0.0.0:4711"), "tcp://outside:80");
}

TEST(EndpointCheck, WhoListensAtEveryAddressIsFoundByTheHostsName) {
  for (const char* every : {"tcp://0.0.0.0:0", "tcp://*:7001", "tcp://[::]:0"}) {
    EXPECT_EQ(advertised_for(every, "node-1"), "tcp://node-1:0") << every;
  }
  EXPECT_EQ(advertised_for("tcp://10.0.0.1:0", "node-1"), "");
  EXPECT_EQ(advertised_for("tcp://eth0:0", "node-1"), "");
}

}  // namespace
}  // namespace capstan
