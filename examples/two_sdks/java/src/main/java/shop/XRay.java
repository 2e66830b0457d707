package shop;

import com.amazonaws.xray.AWSXRay;
import com.amazonaws.xray.entities.Segment;
import com.amazonaws.xray.interceptors.TracingInterceptor;
import com.sun.net.httpserver.HttpExchange;
import java.util.Map;
import java.util.function.IntSupplier;
import software.amazon.awssdk.core.interceptor.ExecutionInterceptor;

/** What the X-Ray SDK needs in code: a segment for each request, an interceptor for each client. */
final class XRay {
  private XRay() {}

  static ExecutionInterceptor interceptor() {
    return new TracingInterceptor();
  }

  /** A segment as the SDK's servlet filter writes it. */
  static int serve(HttpExchange exchange, IntSupplier handle) {
    Segment segment = AWSXRay.beginSegment(System.getenv("SERVICE"));
    try {
      Map<String, Object> request =
          Map.of("method", exchange.getRequestMethod(), "url", exchange.getRequestURI().toString());
      segment.putHttp("request", request);
      int status = handle.getAsInt();
      segment.putHttp("response", Map.of("status", status));
      segment.setFault(status >= 500);
      return status;
    } finally {
      AWSXRay.endSegment();
    }
  }
}
