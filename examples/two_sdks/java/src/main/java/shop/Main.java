package shop;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;
import software.amazon.awssdk.core.interceptor.ExecutionInterceptor;

/**
 * Serves {@code /service/resource/outcome} on PORT: one call of AWS, 200 if it succeeds, else 502.
 *
 * <p>OpenTelemetry's agent traces this without a line of code; with TRACER=xray the X-Ray SDK does.
 * CLIENTS=async calls through the asynchronous clients.
 */
public final class Main {
  public static void main(String[] arguments) throws IOException {
    Map<String, String> environment = System.getenv();
    boolean traced = "xray".equals(environment.get("TRACER"));
    List<ExecutionInterceptor> interceptors = traced ? List.of(XRay.interceptor()) : List.of();
    boolean async = "async".equals(environment.get("CLIENTS"));
    Aws aws = async ? new AsyncAws(interceptors) : new SyncAws(interceptors);
    int port = Integer.parseInt(environment.get("PORT"));
    HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", port), 0);
    server.createContext("/", exchange -> {
      try (exchange) {
        int status = traced ? XRay.serve(exchange, () -> call(aws, exchange)) : call(aws, exchange);
        exchange.sendResponseHeaders(status, -1);
      } catch (Throwable error) { // the server would swallow it and leave the client waiting
        error.printStackTrace();
      }
    });
    server.start();
  }

  private static int call(Aws aws, HttpExchange exchange) {
    String[] path = exchange.getRequestURI().getPath().split("/");
    try {
      aws.call(path[1], path[2], path[3]);
      return 200;
    } catch (RuntimeException error) {
      return 502;
    }
  }
}
