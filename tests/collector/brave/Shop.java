import brave.Span;
import brave.Tracer;
import brave.Tracing;
import brave.propagation.TraceContext.Extractor;
import brave.propagation.TraceContext.Injector;
import brave.propagation.TraceContextOrSamplingFlags;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.net.HttpURLConnection;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import zipkin2.reporter.brave.AsyncZipkinSpanHandler;
import zipkin2.reporter.urlconnection.URLConnectionSender;

/** Two services of Brave with its defaults: `front` asks `back`, which asks `db` and then works on. ZIPKIN_URL CALLS MILLISECONDS */
public class Shop {
  public static void main(String[] args) throws Exception {
    int calls = Integer.parseInt(args[1]), works = Integer.parseInt(args[2]);
    AsyncZipkinSpanHandler toZipkin = AsyncZipkinSpanHandler.create(URLConnectionSender.create(args[0]));
    AsyncZipkinSpanHandler alsoToZipkin = AsyncZipkinSpanHandler.create(URLConnectionSender.create(args[0]));
    Tracing front = Tracing.newBuilder().localServiceName("front").addSpanHandler(toZipkin).build();
    Tracing back = Tracing.newBuilder().localServiceName("back").addSpanHandler(alsoToZipkin).build();
    HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 64);
    ExecutorService pool = Executors.newFixedThreadPool(8);
    server.setExecutor(pool);
    server.createContext("/", exchange -> serve(back, exchange, works));
    server.start();
    ExecutorService visitors = Executors.newFixedThreadPool(4);
    for (int i = 0; i < calls; i++) {
      visitors.submit(() -> visit(front, server.getAddress().getPort()));
      Thread.sleep(25);
    }
    visitors.shutdown();
    visitors.awaitTermination(1, java.util.concurrent.TimeUnit.MINUTES);
    server.stop(0);
    pool.shutdown();
    toZipkin.close();
    alsoToZipkin.close();
  }

  static void visit(Tracing front, int port) {
    Tracer tracer = front.tracer();
    Injector<HttpURLConnection> injector = front.propagation().injector(HttpURLConnection::setRequestProperty);
    Span request = tracer.newTrace().kind(Span.Kind.SERVER).name("get /").start();
    Span call = tracer.newChild(request.context()).kind(Span.Kind.CLIENT).name("get").remoteServiceName("back").start();
    try {
      HttpURLConnection http = (HttpURLConnection) URI.create("http://127.0.0.1:" + port + "/").toURL().openConnection();
      injector.inject(call.context(), http);
      call.tag("http.status_code", "" + http.getResponseCode());
      http.getInputStream().readAllBytes();
    } catch (Exception e) {
      call.error(e);
    } finally {
      call.finish();
      request.finish();
    }
  }

  static void serve(Tracing back, HttpExchange exchange, int works) {
    Tracer tracer = back.tracer();
    Extractor<HttpExchange> extractor = back.propagation().extractor((x, key) -> x.getRequestHeaders().getFirst(key));
    TraceContextOrSamplingFlags from = extractor.extract(exchange);
    Span request = tracer.joinSpan(from.context()).kind(Span.Kind.SERVER).name("get /").start();
    try {
      Span query = tracer.newChild(request.context()).kind(Span.Kind.CLIENT).name("select").remoteServiceName("db").start();
      Thread.sleep(10);
      query.finish();
      Thread.sleep(works);
      exchange.sendResponseHeaders(200, 2);
      exchange.getResponseBody().write("ok".getBytes());
      exchange.close();
    } catch (Exception e) {
      request.error(e);
    } finally {
      request.finish();
    }
  }
}
