package clients;

import com.amazonaws.xray.AWSXRay;

/** The X-Ray SDK for Java: one segment of the given name, to the daemon that AWS_XRAY_DAEMON_ADDRESS names. */
public final class Recorder {
    private Recorder() {
    }

    public static void main(String[] arguments) {
        AWSXRay.beginSegment(arguments[0]);
        AWSXRay.endSegment();
        System.out.println("sent");
    }
}
