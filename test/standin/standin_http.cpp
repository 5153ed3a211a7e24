// The master's routes.
#include "test/standin/standin.hpp"

namespace mysos::standin {

namespace {

bool is_below(const std::string& path, const std::string& base)
{
    return path == base || path.starts_with(base + "/");
}

}  // namespace

void Standin::Node::on_request(std::shared_ptr<HttpConnection> connection, HttpRequest request)
{
    owner.answer(*this, connection, request);
}

void Standin::Node::on_stream_closed(StreamKey stream)
{
    if (owner.streams_.erase(stream) == 0 || !owner.master_) return;
    owner.master_->stream_closed(stream);
    owner.rearm();
}

void Standin::answer(
    Node& node, const std::shared_ptr<HttpConnection>& connection, const HttpRequest& request)
{
    const std::string path = path_of(request);
    HttpResponse response = text_response(404, "Not found");
    if (is_below(path, "/api/v1/scheduler") || is_below(path, "/master/api/v1/scheduler")) {
        response = scheduler(node, connection, request);
    } else if (path == "/redirect" || path == "/master/redirect") {
        const auto& leader = *nodes_[leader_];
        response =
            !leader_is_known_
                ? text_response(503, "No leader elected")
                : HttpResponse{
                      307,
                      "",
                      {{"Location",
                        "//" + options_.hostname + ":" + std::to_string(leader.listener.port())}}};
    } else if (path == "/health" || path == "/master/health") {
        response = {200, "", {}};
    } else if (is_below(path, "/standin")) {
        response = control(request);
    }
    if (response.code != 0) connection->respond(request, response);
}

std::optional<HttpResponse> Standin::not_leading(const Node& node, const HttpRequest& request) const
{
    if (!leader_is_known_) return text_response(503, "No leader elected");
    if (node.index != leader_) {
        const std::string target{request.target()};
        const auto query = target.find('?');
        return HttpResponse{
            307,
            "",
            {{"Location",
              "//" + options_.hostname + ":" + std::to_string(nodes_[leader_]->listener.port()) +
                  "/master/api/v1/scheduler" +
                  (query == std::string::npos ? "" : target.substr(query))}}};
    }
    if (!master_) return text_response(503, "Master has not finished recovery");
    return {};
}

HttpResponse Standin::scheduler(
    Node& node, const std::shared_ptr<HttpConnection>& connection, const HttpRequest& request)
{
    std::optional<std::string> principal;
    if (options_.authenticate) {
        principal = authenticate(request, options_.credentials);
        if (!principal)
            return text_response(
                401,
                "401 Unauthorized.",
                {{"WWW-Authenticate", "Basic realm=\"mesos-master-scheduler\""}});
    }
    if (auto refusal = not_leading(node, request)) return *refusal;
    return call(connection, request, principal);
}

/// Code 0: a stream was begun instead.
HttpResponse Standin::call(
    const std::shared_ptr<HttpConnection>& connection,
    const HttpRequest& request,
    const std::optional<std::string>& principal)
{
    using Call = v1::scheduler::Call;
    Call call;
    if (auto refusal = read_call(request, call)) return *refusal;
    if (const Fault fault = check_call(call, principal))
        return text_response(400, "Failed to validate scheduler::Call: " + *fault);
    const auto encoding = accepted(request);
    const bool subscribes = call.type() == Call::SUBSCRIBE;
    if (!encoding && (subscribes || call.type() == Call::RECONCILE_OPERATIONS))
        return text_response(
            406, "Expecting 'Accept' to allow application/json or application/x-protobuf");
    CallContext context;
    context.principal = principal;
    context.stream_id = header(request, "Mesos-Stream-Id");
    if (!subscribes) {
        const Answer answer = master_->handle(std::move(call), context);
        rearm();
        return text_response(answer.code, answer.text);
    }
    if (context.stream_id)
        return text_response(
            400, "Subscribe calls should not include the 'Mesos-Stream-Id' header");
    const StreamKey stream{next_stream_++};
    const std::string stream_id = uuid_text(world_.uuid());
    streams_[stream] = Stream{connection, *encoding};
    connection->begin_stream(
        request,
        stream,
        {{"Mesos-Stream-Id", stream_id}, {"Content-Type", content_type(*encoding)}});
    master_->subscribe(std::move(call), context, stream, stream_id);
    rearm();
    return {0, "", {}};
}

}  // namespace mysos::standin
