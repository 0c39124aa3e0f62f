// SPDX-License-Identifier: Apache-2.0

#include "service/web/routes.hpp"

#include <utility>

#include "service/metrics/metrics.hpp"

namespace countersign::service {
namespace {

HttpResponse readiness(const std::string& not_ready) {
  if (not_ready.empty()) return {.body = "ready\n"};
  return {.status = 503, .body = not_ready + "\n"};
}

HttpResponse answer(const WebSources& sources, const HttpRequest& request) {
  const bool is_metrics = request.path == "/metrics";
  const bool is_health = request.path == "/healthz";
  const bool is_readiness = request.path == "/readyz";
  if (!is_metrics && !is_health && !is_readiness)
    return {.status = 404, .body = "there are /metrics, /healthz and /readyz\n"};
  if (request.method != "GET") return {.status = 405, .body = "only GET and HEAD are answered\n"};
  if (is_metrics)
    return {.content_type = std::string(Metrics::content_type), .body = sources.metrics()};
  if (is_health) return {.body = "ok\n"};
  return readiness(sources.not_ready());
}

}  // namespace

HttpHandler make_routes(WebSources sources) {
  return [sources = std::move(sources)](const HttpRequest& request) {
    return answer(sources, request);
  };
}

}  // namespace countersign::service
