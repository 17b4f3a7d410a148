//! Mounts every behaviour for every transport.

/// A test for each behaviour.
macro_rules! mount {
    ($($(#[$condition:meta])* $name:ident: $subject:ty),+ $(,)?) => {
        $(
            $(#[$condition])*
            mod $name {
                mount!(@ $subject;
                    behaviours::a_request_arrives_with_its_clients_address,
                    behaviours::a_request_is_served_after_its_transport_is_gone,
                    behaviours::a_wait_ends_when_its_time_is_over,
                    behaviours::a_wake_ends_the_wait_from_another_thread,
                    behaviours::a_wake_before_the_wait_is_kept_and_many_are_one,
                    behaviours::a_request_goes_before_a_wake_and_the_wake_is_kept,
                    behaviours::a_wait_for_a_wake_leaves_requests_alone,
                    behaviours::a_source_that_is_readable_wakes,
                    behaviours::taking_a_request_never_blocks,
                    behaviours::the_timeout_is_the_one_that_was_set,
                    behaviours::an_adopted_socket_serves,
                    behaviours::a_socket_of_another_type_is_not_adopted,
                    behaviours::a_taken_address_is_an_error_and_closing_frees_it,
                    behaviours::a_waker_may_outlive_its_transport,
                    serving::three_clients_in_turn_shutdown_and_close,
                );
            }
        )+
    };
    (@ $subject:ty; $($file:ident::$behaviour:ident),+ $(,)?) => {
        $(
            #[test]
            fn $behaviour() {
                crate::$file::$behaviour::<$subject>();
            }
        )+
    };
}

mount! {
    tcp: crate::ip::TcpSubject,
    udp: crate::ip::UdpSubject,
    #[cfg(unix)]
    unix_stream: crate::unix::StreamSubject,
    #[cfg(unix)]
    unix_datagram: crate::unix::DatagramSubject,
    #[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
    unix_seqpacket: crate::unix::seqpacket::SeqpacketSubject,
}
