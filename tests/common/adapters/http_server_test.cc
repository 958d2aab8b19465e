// HttpServer over real connections: what it answers, whom it refuses, and what it does about those who are
// slow.
#include "common/adapters/http_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <thread>
#include <vector>

#include "tests/http_get.h"
#include "tests/self_signed.h"
#include "tests/temp_dir.h"

namespace capstan {
namespace {

using testing::HasSubstr;
namespace asio = boost::asio;

HttpServer::Handler echo() {
  return [](const std::string& path, const HttpServer::Respond& respond) {
    respond({200, "text/plain", "you asked for " + path});
  };
}

std::unique_ptr<HttpServer> serve(HttpServer::Handler handler, HttpServerOptions options = {}) {
  auto server = HttpServer::start("127.0.0.1:0", std::move(options), std::move(handler));
  EXPECT_TRUE(server.ok()) << server.error().message;
  return std::move(server).value();
}

// Sends `bytes` and gives all that comes until the server ends the connection.
std::string answer_to(const std::string& bytes, const std::string& place) {
  asio::io_context io;
  asio::ip::tcp::socket socket(io);
  boost::system::error_code code;
  const auto colon = place.rfind(':');
  socket.connect({asio::ip::make_address(place.substr(0, colon)),
                  static_cast<unsigned short>(std::stoul(place.substr(colon + 1)))},
                 code);
  asio::write(socket, asio::buffer(bytes), code);
  std::string got;
  asio::read(socket, asio::dynamic_buffer(got), code);
  return got;
}

TEST(HttpServer, AnswersAPathWithoutItsQuery) {
  const auto server = serve(echo());
  const HttpGot got = http_get(server->place(), "/a/b?c=d");
  EXPECT_EQ(got.status, 200U);
  EXPECT_EQ(got.content_type, "text/plain");
  EXPECT_EQ(got.body, "you asked for /a/b");
}

TEST(HttpServer, AConnectionServesSeveralRequestsAndHeadHasNoBody) {
  const auto server = serve(echo());
  const std::string got = answer_to(
      "HEAD /1 HTTP/1.1\r\nHost: x\r\n\r\n"
      "GET /2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
      server->place());
  EXPECT_THAT(got, HasSubstr("Content-Length: 16"));
  EXPECT_EQ(got.find("you asked for /1"), std::string::npos) << got;
  EXPECT_THAT(got, HasSubstr("you asked for /2"));
}

TEST(HttpServer, AsksForItsTokenButWhereItIsOpen) {
  HttpServerOptions options;
  options.token = "secret";
  options.open_paths = {"/healthz"};
  std::vector<std::string> told;
  options.tell = [&told](const std::string& text) { told.push_back(text); };
  auto server = serve(echo(), options);
  EXPECT_EQ(http_get(server->place(), "/metrics").status, 401U);
  EXPECT_EQ(http_get(server->place(), "/metrics", "secreT").status, 401U);
  EXPECT_EQ(http_get(server->place(), "/metrics", "secret2").status, 401U);
  EXPECT_EQ(http_get(server->place(), "/metrics", "secret").status, 200U);
  EXPECT_EQ(http_get(server->place(), "/healthz").status, 200U);
  EXPECT_EQ(http_get(server->place(), "/healthz/../metrics").status, 401U);
  EXPECT_EQ(server->tokens_refused(), 4U);
  server.reset();
  ASSERT_EQ(told.size(), 1U) << "not once for each";
  EXPECT_THAT(told[0], HasSubstr("127.0.0.1 asked for a page without the token"));
}

TEST(HttpServer, OnlyReads) {
  const auto server = serve(echo());
  EXPECT_EQ(http_get(server->place(), "/", "", boost::beast::http::verb::delete_).status, 405U);
  EXPECT_EQ(http_get(server->place(), "/", "", boost::beast::http::verb::post).status, 405U);
}

TEST(HttpServer, WhatIsNoRequestEndsTheConnectionAndNothingElse) {
  const auto server = serve(echo());
  for (const std::string& bytes :
       {std::string("\r\n\r\n\0\x01", 6), std::string("GET\r\n\r\n"), std::string("GET / HTTP/9.9\r\n\r\n"),
        "GET / HTTP/1.1\r\nX: " + std::string(100'000, 'x') + "\r\n\r\n"}) {
    answer_to(bytes, server->place());
  }
  EXPECT_EQ(http_get(server->place(), "/").status, 200U);
}

TEST(HttpServer, ANodeThatDoesNotAnswerIsSaidNotTo) {
  std::mutex mutex;
  std::vector<HttpServer::Respond> kept;
  HttpServerOptions options;
  options.answer_limit = std::chrono::milliseconds(50);
  auto server = serve(
      [&](const std::string&, HttpServer::Respond respond) {
        const std::lock_guard lock(mutex);
        kept.push_back(std::move(respond));
      },
      options);
  const HttpGot got = http_get(server->place(), "/metrics");
  EXPECT_EQ(got.status, 503U);
  EXPECT_THAT(got.body, HasSubstr("does not answer"));
  kept.at(0)({200, "text/plain", "too late"});
  server.reset();
  kept.at(0)({200, "text/plain", "and to nobody"});
}

TEST(HttpServer, TooManyConnectionsAreTurnedAway) {
  HttpServerOptions options;
  options.connections_max = 1;
  const auto server = serve(echo(), options);
  asio::io_context io;
  asio::ip::tcp::socket idle(io);
  const auto colon = server->place().rfind(':');
  idle.connect({asio::ip::make_address("127.0.0.1"),
                static_cast<unsigned short>(std::stoul(server->place().substr(colon + 1)))});
  // The idle one may not have been accepted yet.
  unsigned status = 200;
  for (int n = 0; n < 1000 && status == 200; ++n) status = http_get(server->place(), "/").status;
  EXPECT_EQ(status, 503U);
  idle.close();
  for (int n = 0; n < 1000 && status == 503; ++n) status = http_get(server->place(), "/").status;
  EXPECT_EQ(status, 200U);
}

class HttpsServer : public ::testing::Test {
 protected:
  HttpsServer() { options_.tls = make_certificate(folder_, "page", 1); }

  TempDir dir_;
  std::string folder_ = dir_.path();
  HttpServerOptions options_;
};

TEST_F(HttpsServer, IsReadByWhoTrustsItsCertificate) {
  const auto server = serve(echo(), options_);
  EXPECT_EQ(https_get(server->place(), "/a", options_.tls->certificate).body, "you asked for /a");
  const TlsFiles other = make_certificate(folder_, "other", 2);
  EXPECT_EQ(https_get(server->place(), "/a", other.certificate).status, 0U);
}

TEST_F(HttpsServer, WhoComesWithoutTlsIsToldSo) {
  const auto server = serve(echo(), options_);
  const HttpGot got = http_get(server->place(), "/a");
  EXPECT_EQ(got.status, 400U);
  EXPECT_THAT(got.body, HasSubstr("over https alone"));
}

TEST_F(HttpsServer, WhatIsNoHandshakeEndsTheConnectionAndNothingElse) {
  options_.idle_limit = std::chrono::milliseconds(200);
  const auto server = serve(echo(), options_);
  for (const std::string& bytes : {std::string("\x16\x03\x01\xff\xff", 5), std::string(3000, '\x16'),
                                   std::string("\x16\x03\x01\x00\x01\x00", 6)}) {
    answer_to(bytes, server->place());
  }
  EXPECT_EQ(https_get(server->place(), "/", options_.tls->certificate).status, 200U);
}

TEST_F(HttpsServer, ARenewedCertificateIsTakenUpAndABrokenOneIsNot) {
  std::mutex mutex;
  std::vector<std::string> told;
  options_.tell = [&](const std::string& text) {
    const std::lock_guard lock(mutex);
    told.push_back(text);
  };
  const auto server = serve(echo(), options_);
  const auto renew = [&](int seconds_later) {
    for (const std::string& file : {options_.tls->certificate, options_.tls->key})
      std::filesystem::last_write_time(
          file, std::filesystem::file_time_type::clock::now() + std::chrono::seconds(seconds_later));
  };
  make_certificate(folder_, "page", 7);
  renew(10);
  EXPECT_EQ(https_get(server->place(), "/", options_.tls->certificate).status, 200U);
  const std::string trusted = folder_ + "/trusted.pem";
  std::filesystem::copy_file(options_.tls->certificate, trusted);
  std::ofstream(options_.tls->certificate) << "no certificate";
  renew(20);
  EXPECT_EQ(https_get(server->place(), "/", trusted).status, 200U);
  const std::lock_guard lock(mutex);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_THAT(told[0], HasSubstr("page.pem: no certificate in PEM form"));
}

TEST_F(HttpsServer, FilesThatCannotBeUsedAreNamed) {
  const auto error_of = [&] { return HttpServer::start("127.0.0.1:0", options_, echo()).error(); };
  const TlsFiles good = *options_.tls;
  options_.tls->key = make_certificate(folder_, "other", 2).key;
  EXPECT_THAT(error_of().message, HasSubstr("other.key: no private key in PEM form that belongs to"));
  options_.tls = {good.certificate, folder_ + "/none.key"};
  EXPECT_EQ(error_of().code, ErrorCode::kNotFound);
  options_.tls = {good.key, good.key};
  EXPECT_THAT(error_of().message, HasSubstr("page.key: no certificate in PEM form"));
  options_.tls = good;
  std::filesystem::permissions(good.key, std::filesystem::perms(0644));
  EXPECT_THAT(error_of().message, HasSubstr("chmod 600"));
}

TEST(HttpServer, APlaceThatIsTakenOrNoneIsAnError) {
  const auto server = serve(echo());
  const auto taken = HttpServer::start(server->place(), {}, echo());
  ASSERT_FALSE(taken.ok());
  EXPECT_EQ(taken.error().code, ErrorCode::kIo);
  EXPECT_THAT(taken.error().message, HasSubstr(server->place()));
  for (const char* place : {"9100", "", ":9100", "127.0.0.1:http-or-so", "no.such.host.invalid:1"}) {
    const auto none = HttpServer::start(place, {}, echo());
    ASSERT_FALSE(none.ok()) << place;
    EXPECT_EQ(none.error().code, ErrorCode::kInvalid) << place;
  }
}

}  // namespace
}  // namespace capstan
